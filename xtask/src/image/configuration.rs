//! What an image says of itself and how it starts: its configuration, labels and annotations.
//!
//! Source: OCI image specification 1.1 ("Image configuration", "Pre-defined annotation keys");
//! Docker's image specification 1.2 for `Healthcheck`, which engines read from the same document.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::layer::Layer;
use super::{COMMIT, HOME, PROGRAMS, Platform, SCRIPTS, SERVER_NAME, SITE_PACKAGES, WHEEL, search};
use crate::artifact::Digest;

/// The keys of the OCI specification, which speak of this image and of no base.
const OWN: &str = "org.opencontainers.image.";

/// The name of the user that the server runs as.
pub const USER: &str = "mcp";

/// What is said of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// What people call the server.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The full commit.
    pub commit: String,
    /// Whether a working tree was built instead.
    pub dirty: bool,
    /// The commit's time (RFC 3339).
    pub created: String,
    /// Where its source is.
    pub source: Option<String>,
    /// Its license, as an SPDX expression.
    pub license: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The base's name in a registry; one from a disk has none that means anything elsewhere.
    pub base_name: Option<String>,
    /// The base's digest.
    pub base_digest: Option<Digest>,
    /// The name in registries of MCP servers.
    pub server_name: Option<String>,
    /// The wheel.
    pub wheel: Option<Digest>,
    /// What the repository adds.
    pub labels: Vec<(String, String)>,
}

impl About {
    /// The labels, which are the annotations too.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let dirty = if self.dirty { "-dirty" } else { "" };
        let texts = [
            ("title", Some(self.title.clone())),
            ("version", Some(self.version.clone())),
            ("revision", Some(format!("{}{dirty}", self.commit))),
            ("created", Some(self.created.clone())),
            ("source", self.source.clone()),
            ("licenses", self.license.clone()),
            ("description", self.description.clone()),
            ("base.name", self.base_name.clone()),
            (
                "base.digest",
                self.base_digest.as_ref().map(Digest::to_string),
            ),
        ];
        let mut labels = BTreeMap::new();
        for (key, text) in texts {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                labels.insert(format!("{OWN}{key}"), text);
            }
        }
        labels.extend(self.labels.iter().cloned());
        let own = [
            (SERVER_NAME, self.server_name.clone()),
            (COMMIT, Some(format!("{}{dirty}", self.commit))),
            (
                WHEEL,
                self.wheel.as_ref().map(|wheel| wheel.hex().to_owned()),
            ),
        ];
        for (key, text) in own {
            if let Some(text) = text {
                labels.insert(key.to_owned(), text);
            }
        }
        labels
    }
}

/// How what is in the image is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// What is started.
    pub runs: Runs,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Environment variables beside those that every image has.
    pub environment: Vec<(String, String)>,
    /// The port that it listens on, if it does.
    pub port: Option<u16>,
    /// The number of the user and group it runs as.
    pub user: u32,
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// A console script of Python.
    Script {
        /// The interpreter's path in the image.
        interpreter: String,
        /// The name of the script.
        script: String,
        /// The page that says that it is alive.
        health: Option<String>,
    },
    /// A program that needs nothing of the base.
    Program {
        /// Its name.
        name: String,
        /// Its arguments for asking whether the one that runs beside it is alive.
        health: Option<Vec<String>>,
    },
}

impl Start {
    /// The path of what is started.
    pub fn path(&self) -> String {
        match &self.runs {
            Runs::Script { script, .. } => format!("/{SCRIPTS}/{script}"),
            Runs::Program { name, .. } => format!("/{PROGRAMS}/{name}"),
        }
    }

    /// The command of the health check, which needs nothing but the interpreter or the program. That
    /// of a script asks the port that the server was told, and takes no other program's settings for
    /// Python.
    pub fn check(&self) -> Option<Vec<String>> {
        self.port?;
        let (interpreter, path) = match &self.runs {
            Runs::Script {
                interpreter,
                health,
                ..
            } => (interpreter, health.as_ref()?),
            Runs::Program { health, .. } => {
                let mut words = vec!["CMD".to_owned(), self.path()];
                words.extend(health.clone()?);
                return Some(words);
            }
        };
        let page = serde_json::to_string(path).expect("a text always serialises");
        let script = format!(
            "import http.client,os,sys;\
             c=http.client.HTTPConnection('127.0.0.1',int(os.environ['PORT']),timeout=4);\
             c.request('GET',{page});\
             sys.exit(c.getresponse().status!=200)"
        );
        let words = ["CMD", interpreter, "-I", "-c", &script];
        Some(words.map(str::to_owned).to_vec())
    }
}

/// The search path for programs that a base sets.
pub fn search_path(base: &Value) -> String {
    let variables = base["config"]["Env"].as_array();
    let mut variables = variables.into_iter().flatten().filter_map(Value::as_str);
    let path = variables.find_map(|variable| variable.strip_prefix("PATH="));
    path.unwrap_or(search::PATH).to_owned()
}

/// `etc/passwd` or `etc/group` with a line for the server's user, if it has none for that number.
pub fn with_user(file: &str, text: &[u8], user: u32) -> Option<Vec<u8>> {
    let number = user.to_string();
    let known = String::from_utf8_lossy(text)
        .lines()
        .any(|line| line.split(':').nth(2) == Some(&number));
    if known {
        return None;
    }
    let line = match file {
        "etc/passwd" => format!("{USER}:x:{user}:{user}::/{HOME}:/usr/sbin/nologin\n"),
        _ => format!("{USER}:x:{user}:\n"),
    };
    let mut text = text.to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend(line.into_bytes());
    Some(text)
}

/// The configuration of an image on a base: `layers` are the new ones with what each is.
pub fn text(
    base: &Value,
    platform: Platform,
    about: &About,
    start: &Start,
    layers: &[(&Layer, &str)],
) -> Vec<u8> {
    let mut whole = Map::new();
    whole.insert("architecture".into(), platform.architecture().into());
    whole.insert("config".into(), running(base, about, start));
    whole.insert("created".into(), about.created.clone().into());
    whole.insert("history".into(), history(base, about, layers));
    whole.insert("os".into(), "linux".into());
    let mut diff_ids = base["rootfs"]["diff_ids"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    diff_ids.extend(
        layers
            .iter()
            .map(|(layer, _)| layer.diff_id.to_string().into()),
    );
    whole.insert(
        "rootfs".into(),
        json!({ "diff_ids": diff_ids, "type": "layers" }),
    );
    if let Some(variant) = base["variant"].as_str() {
        whole.insert("variant".into(), variant.into());
    }
    serde_json::to_vec(&whole).expect("texts and numbers always serialise")
}

fn running(base: &Value, about: &About, start: &Start) -> Value {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in base["config"]["Labels"].as_object().into_iter().flatten() {
        if let Some(text) = value.as_str().filter(|_| !key.starts_with(OWN)) {
            labels.insert(key.clone(), text.to_owned());
        }
    }
    labels.extend(about.labels());
    let mut config = Map::new();
    config.insert("User".into(), format!("{0}:{0}", start.user).into());
    config.insert("Env".into(), environment(base, start).into());
    config.insert("Entrypoint".into(), json!([start.path()]));
    config.insert("Cmd".into(), json!(start.arguments));
    config.insert("WorkingDir".into(), format!("/{HOME}").into());
    config.insert("Labels".into(), json!(labels));
    config.insert("StopSignal".into(), "SIGTERM".into());
    if let Some(port) = start.port {
        let mut ports = Map::new();
        ports.insert(format!("{port}/tcp"), json!({}));
        config.insert("ExposedPorts".into(), ports.into());
    }
    if let Some(check) = start.check() {
        // Nanoseconds, as Docker's specification has it.
        config.insert(
            "Healthcheck".into(),
            json!({
                "Test": check,
                "Interval": 10_000_000_000_u64,
                "Timeout": 5_000_000_000_u64,
                "StartPeriod": 30_000_000_000_u64,
                "Retries": 3,
            }),
        );
    }
    config.into()
}

/// The base's variables with ours in their places; what the repository says comes last and wins.
fn environment(base: &Value, start: &Start) -> Vec<Value> {
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut set =
        |name: &str, value: String| match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name.to_owned(), value)),
        };
    let inherited = base["config"]["Env"].as_array().into_iter().flatten();
    for (name, value) in inherited.filter_map(|it| it.as_str()?.split_once('=')) {
        set(name, value.to_owned());
    }
    set("HOME", format!("/{HOME}"));
    match &start.runs {
        Runs::Script { .. } => {
            set("PATH", format!("/{SCRIPTS}:{}", search_path(base)));
            set("PYTHONPATH", format!("/{SITE_PACKAGES}"));
            set("PYTHONUNBUFFERED", "1".to_owned());
            set("PYTHONDONTWRITEBYTECODE", "1".to_owned());
            if let Some(port) = start.port {
                set("PORT", port.to_string());
            }
        }
        // Callers name it without its folder, too.
        Runs::Program { .. } => set("PATH", with_programs(&search_path(base))),
    }
    for (name, value) in &start.environment {
        set(name, value.clone());
    }
    let line = |(name, value): (String, String)| format!("{name}={value}").into();
    variables.into_iter().map(line).collect()
}

/// A search path on which our programs are found.
fn with_programs(path: &str) -> String {
    let folder = format!("/{PROGRAMS}");
    match path.split(':').any(|one| one == folder) {
        true => path.to_owned(),
        false => format!("{folder}:{path}"),
    }
}

/// What each layer came from. Engines count the entries, so a base that has others than layers
/// gets new ones.
fn history(base: &Value, about: &About, layers: &[(&Layer, &str)]) -> Value {
    let known = base["history"].as_array().cloned().unwrap_or_default();
    let count = base["rootfs"]["diff_ids"].as_array().map_or(0, Vec::len);
    let filled = known
        .iter()
        .filter(|entry| entry["empty_layer"] != true)
        .count();
    let mut history = match filled == count {
        true => known,
        false => vec![json!({ "created": about.created, "created_by": "base" }); count],
    };
    for (_, what) in layers {
        history.push(json!({
            "created": about.created,
            "created_by": format!("cargo xtask image: {what}"),
        }));
    }
    history.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::layer::{Entries, FIXED_TIME, write};

    fn about() -> About {
        About {
            title: "Notes".to_owned(),
            version: "1.0".to_owned(),
            commit: "c".repeat(40),
            created: "2026-01-02T03:04:05Z".to_owned(),
            server_name: Some("io.github.a/notes".to_owned()),
            wheel: Some(Digest::of(b"wheel")),
            labels: vec![
                ("a.b".to_owned(), "c".to_owned()),
                (WHEEL.to_owned(), "forged".to_owned()),
            ],
            ..About::default()
        }
    }

    fn script(health: &str) -> Runs {
        Runs::Script {
            interpreter: "/usr/bin/python3.13".to_owned(),
            script: "notes".to_owned(),
            health: Some(health.to_owned()),
        }
    }

    fn start() -> Start {
        Start {
            runs: script("/health"),
            arguments: vec!["--http".to_owned()],
            environment: vec![("MODE".to_owned(), "http".to_owned())],
            port: Some(8000),
            user: 10001,
        }
    }

    #[test]
    fn a_program_is_found_and_checked_by_itself() {
        let start = Start {
            runs: Runs::Program {
                name: "notes".to_owned(),
                health: Some(vec!["health".to_owned()]),
            },
            ..start()
        };
        assert_eq!(start.path(), "/usr/local/bin/notes");
        let check = ["CMD", "/usr/local/bin/notes", "health"];
        assert_eq!(start.check().unwrap(), check);
        let variables = |path: &str| {
            let base = json!({ "config": { "Env": [format!("PATH={path}")] } });
            environment(&base, &start)
        };
        let rest = ["HOME=/data", "MODE=http"];
        let found = variables("/usr/local/bin:/usr/bin");
        assert_eq!(found, ["PATH=/usr/local/bin:/usr/bin", rest[0], rest[1]]);
        assert_eq!(variables("/bin")[0], "PATH=/usr/local/bin:/bin");
    }

    #[test]
    fn labels_name_commit_wheel_and_server_whatever_the_repository_adds() {
        let labels = about().labels();
        assert_eq!(labels[COMMIT], "c".repeat(40));
        assert_eq!(labels[WHEEL], Digest::of(b"wheel").hex());
        assert_eq!(labels[SERVER_NAME], "io.github.a/notes");
        assert_eq!(labels["a.b"], "c");
        assert_eq!(labels["org.opencontainers.image.title"], "Notes");
        assert!(!labels.contains_key("org.opencontainers.image.source"));
        let dirty = About {
            dirty: true,
            ..about()
        };
        assert!(dirty.labels()[COMMIT].ends_with("-dirty"));
    }

    #[test]
    fn the_configuration_extends_that_of_the_base() {
        let base = json!({
            "architecture": "arm64", "os": "linux", "variant": "v8",
            "config": {
                "Env": ["PATH=/opt/bin:/usr/bin", "LANG=C.UTF-8", "MODE=stdio"],
                "Cmd": ["python3"],
                "Labels": { "org.opencontainers.image.title": "base", "kept": "yes" },
            },
            "rootfs": { "type": "layers", "diff_ids": ["sha256:00"] },
            "history": [{ "created_by": "ADD" }, { "created_by": "ENV", "empty_layer": true }],
        });
        let layer = write(&Entries::new(), FIXED_TIME).unwrap();
        let layers = [(&layer, "dependencies"), (&layer, "notes 1.0")];
        let bytes = text(&base, Platform::Arm64, &about(), &start(), &layers);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let config = &value["config"];
        assert_eq!(config["User"], "10001:10001");
        assert_eq!(config["Entrypoint"], json!(["/app/bin/notes"]));
        assert_eq!(config["Cmd"], json!(["--http"]));
        assert_eq!(config["ExposedPorts"], json!({ "8000/tcp": {} }));
        assert_eq!(config["Healthcheck"]["Test"][0], "CMD");
        assert_eq!(config["Labels"]["kept"], "yes");
        assert_eq!(config["Labels"]["org.opencontainers.image.title"], "Notes");
        assert_eq!(
            config["Env"],
            json!([
                "PATH=/app/bin:/opt/bin:/usr/bin",
                "LANG=C.UTF-8",
                "MODE=http",
                "HOME=/data",
                "PYTHONPATH=/app/site-packages",
                "PYTHONUNBUFFERED=1",
                "PYTHONDONTWRITEBYTECODE=1",
                "PORT=8000",
            ])
        );
        assert_eq!(value["variant"], "v8");
        assert_eq!(value["rootfs"]["diff_ids"].as_array().unwrap().len(), 3);
        assert_eq!(value["history"].as_array().unwrap().len(), 4);
        let mut bare = base.clone();
        bare["history"] = Value::Null;
        let bytes = text(&bare, Platform::Arm64, &about(), &start(), &layers);
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["history"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_server_without_a_port_has_no_health_check() {
        let stdio = Start {
            port: None,
            ..start()
        };
        assert_eq!(stdio.check(), None);
        let quoted = Start {
            runs: script("/a'\"b"),
            ..start()
        };
        assert!(quoted.check().unwrap()[4].contains(r#"c.request('GET',"/a'\"b")"#));
    }

    #[test]
    fn the_user_is_put_into_the_files_of_the_base_once() {
        let check = |file: &str, text: &str, expected: Option<&str>| {
            let found = with_user(file, text.as_bytes(), 10001);
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found.as_deref(), expected);
        };
        let line = "mcp:x:10001:10001::/data:/usr/sbin/nologin\n";
        check("etc/passwd", "", Some(line));
        check(
            "etc/passwd",
            "root:x:0:0",
            Some(&format!("root:x:0:0\n{line}")),
        );
        check("etc/passwd", "a:x:10001:5::/:\n", None);
        check(
            "etc/group",
            "root:x:0:\n",
            Some("root:x:0:\nmcp:x:10001:\n"),
        );
    }
}
