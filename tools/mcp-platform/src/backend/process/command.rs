//! From a specification to what is started as a process: program, arguments, environment, files.
//! Pure.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::model::{Spec, Transport};

use super::folder::Folder;
use super::members::MARK;

/// Variables that every process gets from the surroundings of the platform; no others, because
/// others may hold the platform's own secrets.
const PASSED: [&str; 19] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Beginnings of more such variables. Those of pip say where packages come from.
const PASSED_BEGINNINGS: [&str; 4] = ["LC_", "PIP_", "PYENV_", "LD_LIBRARY_PATH"];

/// The part of an environment that is passed on.
pub fn passed(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    environment
        .iter()
        .filter(|(name, _)| {
            PASSED.contains(&name.as_str())
                || PASSED_BEGINNINGS
                    .iter()
                    .any(|beginning| name.starts_with(beginning))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Where an instance is started.
pub struct Place<'a> {
    /// The server's folder.
    pub folder: &'a Folder,
    /// The instance.
    pub instance: &'a str,
    /// What marks its processes.
    pub mark: &'a str,
    /// The port that it listens on.
    pub port: u16,
    /// Our own program.
    pub program: &'a Path,
    /// The programs of the wheel's environment.
    pub programs: Option<&'a Path>,
    /// What is passed on from our own environment, without pip's part.
    pub environment: &'a BTreeMap<String, String>,
}

/// What is started. Its environment and files may be secret; so it has no `Debug`.
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Folders that have to be there.
    pub folders: Vec<PathBuf>,
    /// Files that have to be there, with their text.
    pub files: Vec<(PathBuf, String)>,
}

/// Makes it; none when the template says nothing that could be started.
pub fn launch(spec: &Spec, place: &Place<'_>) -> Option<Launch> {
    let scratch = place.folder.scratch().join(place.instance);
    let mut moved = BTreeMap::new();
    let mut folders = vec![scratch.clone()];
    let mut environment = place.environment.clone();
    environment.retain(|name, _| !name.starts_with("PIP_"));
    for volume in &spec.volumes {
        let path = if volume.size == 0 {
            scratch.join(&volume.name)
        } else {
            place.folder.volumes().join(&volume.name)
        };
        let text = path.display().to_string();
        if let Some(variable) = &volume.variable {
            environment.insert(variable.clone(), text.clone());
        } else if volume.path == "/tmp" {
            environment.insert("TMPDIR".to_owned(), text.clone());
        }
        moved.insert(volume.path.clone(), text);
        folders.push(path);
    }
    let open = spec.files.iter().map(|(path, text)| (path, text.clone()));
    let secret = spec.secrets.files.iter();
    let secret = secret.map(|(path, text)| (path, text.expose().to_owned()));
    let mut files = Vec::new();
    for (path, text) in open.chain(secret) {
        let there = scratch.join("files").join(path.trim_start_matches('/'));
        moved.insert(path.clone(), there.display().to_string());
        files.push((there, text));
    }
    let resolve = |text: &str| moved_path(&filled(text, place), &moved);
    for (name, value) in &spec.environment {
        environment.insert(name.clone(), resolve(value));
    }
    for (name, value) in &spec.secrets.environment {
        environment.insert(name.clone(), value.expose().to_owned());
    }
    environment.extend([
        ("HOST".to_owned(), "127.0.0.1".to_owned()),
        ("PORT".to_owned(), place.port.to_string()),
        (
            "POD_NAMESPACE".to_owned(),
            spec.identity.namespace.to_string(),
        ),
        ("MCP_INSTANCE".to_owned(), place.instance.to_owned()),
        (MARK.to_owned(), place.mark.to_owned()),
    ]);
    let (program, arguments) = words(spec, place, &resolve)?;
    Some(Launch {
        program,
        arguments,
        environment,
        folder: scratch,
        folders,
        files,
    })
}

fn words(
    spec: &Spec,
    place: &Place<'_>,
    resolve: &impl Fn(&str) -> String,
) -> Option<(PathBuf, Vec<String>)> {
    let command = if spec.run.process.is_empty() {
        &spec.run.command
    } else {
        &spec.run.process
    };
    let (first, rest) = command.split_first()?;
    let program = program(&resolve(first), place);
    let arguments: Vec<String> = rest
        .iter()
        .chain(&spec.run.arguments)
        .map(|text| resolve(text))
        .collect();
    if spec.transport != Transport::Stdio {
        return Some((program, arguments));
    }
    let mut bridged = vec![
        "bridge".to_owned(),
        "--port".to_owned(),
        place.port.to_string(),
    ];
    if let Some(variable) = &spec.bearer {
        bridged.extend(["--bearer-variable".to_owned(), variable.clone()]);
    }
    bridged.extend(["--".to_owned(), program.display().to_string()]);
    bridged.extend(arguments);
    Some((place.program.to_owned(), bridged))
}

/// A bare name is looked up in the wheel's environment first, then as the system does.
fn program(name: &str, place: &Place<'_>) -> PathBuf {
    if name.contains('/') {
        return PathBuf::from(name);
    }
    match place.programs.map(|programs| programs.join(name)) {
        Some(path) if path.exists() => path,
        Some(_) | None => PathBuf::from(name),
    }
}

fn filled(text: &str, place: &Place<'_>) -> String {
    text.replace("{port}", &place.port.to_string())
        .replace("{host}", "127.0.0.1")
        .replace("{self}", &place.program.display().to_string())
}

/// A path of the container, alone or at the beginning of the text, becomes the one of this machine.
fn moved_path(text: &str, moved: &BTreeMap<String, String>) -> String {
    for (from, to) in moved.iter().rev() {
        match text.strip_prefix(from.as_str()) {
            Some("") => return to.clone(),
            Some(rest) if rest.starts_with('/') => return format!("{to}{rest}"),
            Some(_) | None => {}
        }
    }
    text.to_owned()
}

/// What this back end does not do of a specification, for people.
pub fn left_out(spec: &Spec) -> Vec<String> {
    let mut parts: Vec<String> = spec
        .companions
        .iter()
        .filter(|companion| companion.enabled)
        .map(|companion| {
            format!(
                "companion {}: an image does not run as a process",
                companion.name
            )
        })
        .collect();
    if spec.exposure != crate::model::Exposure::ClusterIp {
        parts.push("exposure: a process is reached at 127.0.0.1 only".to_owned());
    }
    if !spec.peers.egress.is_empty() || !spec.peers.ingress.is_empty() {
        parts.push("peers: a process may connect to wherever this user may".to_owned());
    }
    parts.push("processor: neither set aside nor limited; memory: not set aside, and looked at once a second".to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_container_become_ours() {
        let moved = BTreeMap::from([
            ("/data".to_owned(), "/s/volumes/data".to_owned()),
            ("/data/key".to_owned(), "/s/key".to_owned()),
        ]);
        let check = |from: &str, to: &str| assert_eq!(moved_path(from, &moved), to);
        check("/data", "/s/volumes/data");
        check("/data/x", "/s/volumes/data/x");
        check("/data/key", "/s/key");
        check("/database", "/database");
        check("x/data", "x/data");
    }

    #[test]
    fn only_harmless_variables_are_passed() {
        let all = ["PATH", "MCP_TOKEN", "AWS_SECRET_ACCESS_KEY", "LC_ALL"];
        let all = all.map(|name| (name.to_owned(), "x".to_owned()));
        let passed = passed(&BTreeMap::from(all));
        let names: Vec<&String> = passed.keys().collect();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }
}
