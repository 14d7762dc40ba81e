//! What a line of a requirements file stands for: a pinned package, an address, a folder. Pure.

use super::super::model::Source;
use super::super::requirement;
use crate::name::normalize;

/// One package that a line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The name in its normal form.
    pub name: String,
    /// The version; empty where only the place is known.
    pub version: Option<String>,
    /// Where it comes from; `None` for an index.
    pub source: Option<Source>,
    /// What was written about versions.
    pub written: String,
}

/// Reads what is in front of the options of a line; `None` when it is no requirement.
pub fn asked(text: &str) -> Option<Asked> {
    if is_place(text) {
        return Some(placed(None, text));
    }
    let found = requirement::parse(text)?;
    if let Some(url) = found.url {
        return Some(placed(Some(found.name), url));
    }
    Some(Asked {
        version: pinned(found.versions).map(str::to_owned),
        source: None,
        written: found.versions.to_owned(),
        name: found.name,
    })
}

/// What `-e` asks for: a folder or an address, whatever its form.
pub fn editable(text: &str) -> Asked {
    let place = requirement::parse(text).and_then(|found| Some((found.url?, found.name)));
    match place {
        Some((url, name)) => placed(Some(name), url),
        None => placed(None, text),
    }
}

/// The version behind `==` or `===`, unless it is only the beginning of one.
fn pinned(versions: &str) -> Option<&str> {
    let version = |clause: &'_ str| -> Option<usize> {
        let bare = clause.trim().strip_prefix("==")?;
        let bare = bare.strip_prefix('=').unwrap_or(bare).trim();
        (!bare.is_empty() && !bare.contains('*')).then_some(bare.len())
    };
    versions.split(',').find_map(|clause| {
        let clause = clause.trim();
        let length = version(clause)?;
        clause.get(clause.len() - length..)
    })
}

fn is_place(text: &str) -> bool {
    let word = text.split([' ', '\t', ';']).next().unwrap_or(text);
    let before_at = word.split('@').next().unwrap_or(word);
    let is_address = before_at.contains("://") || before_at.starts_with("file:");
    let is_path = word.starts_with(['.', '/', '~'])
        || !word.contains('@') && word.contains(['/', '\\'])
        || word.ends_with(".whl")
        || word.ends_with(".tar.gz")
        || word.ends_with(".zip");
    is_address || is_path && requirement_with_address(text).is_none()
}

fn requirement_with_address(text: &str) -> Option<&str> {
    requirement::parse(text).and_then(|found| found.url)
}

fn placed(name: Option<String>, text: &str) -> Asked {
    let text = text.split([' ', '\t']).next().unwrap_or(text);
    let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="));
    let egg = egg.map(|egg| normalize(egg.split('[').next().unwrap_or(egg)));
    let place = without_credentials(place);
    // Extras behind a folder: `.[dev]`.
    let path = match place.contains("://") {
        false => place.split('[').next().unwrap_or(&place).to_owned(),
        true => place.clone(),
    };
    let source = source(&path);
    let (file_name, version) = named_by(&source);
    Asked {
        name: name.or(egg).unwrap_or(file_name),
        version: Some(version),
        source: Some(source),
        written: String::new(),
    }
}

fn source(place: &str) -> Source {
    if let Some(url) = place.strip_prefix("git+") {
        let begin = url.find("://").map_or(0, |at| at + 3);
        let begin = url
            .get(begin..)
            .and_then(|rest| rest.find('/'))
            .map_or(begin, |at| begin + at);
        let at = url.rfind('@').filter(|at| *at > begin);
        let (url, reference) = match at.and_then(|at| Some((url.get(..at)?, url.get(at + 1..)?))) {
            Some((url, reference)) => (url, Some(reference)),
            None => (url, None),
        };
        let is_commit =
            |text: &&str| text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let commit = reference.filter(is_commit).map(str::to_owned);
        return Source::Git {
            url: url.to_owned(),
            commit,
        };
    }
    if let Some(path) = place.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return Source::Path {
            path: path.to_owned(),
        };
    }
    if place.contains("://") {
        return Source::Url {
            url: place.to_owned(),
        };
    }
    let path = place.trim_end_matches(['/', '\\']);
    match path {
        "." | "" => Source::Workspace {
            path: ".".to_owned(),
        },
        path => Source::Path {
            path: path.to_owned(),
        },
    }
}

/// Name and version from the name of a file or folder, as far as it says them.
fn named_by(source: &Source) -> (String, String) {
    let place = match source {
        Source::Git { url, .. } => url.strip_suffix(".git").unwrap_or(url),
        Source::Url { url } => url.split('?').next().unwrap_or(url),
        Source::Path { path } | Source::Workspace { path } => path,
        Source::Registry { .. } | Source::Bundled { .. } => "",
    };
    let file = place
        .trim_end_matches('/')
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(place);
    let wheel = file
        .strip_suffix(".whl")
        .map(|stem| stem.split_once('-').unwrap_or((stem, "")));
    let sdist = file
        .strip_suffix(".tar.gz")
        .or_else(|| file.strip_suffix(".zip"));
    let sdist = sdist.map(|stem| stem.rsplit_once('-').unwrap_or((stem, "")));
    match (wheel, sdist) {
        (Some((name, rest)), _) => (
            normalize(name),
            rest.split('-').next().unwrap_or_default().to_owned(),
        ),
        (None, Some((name, version))) if version.starts_with(|one: char| one.is_ascii_digit()) => {
            (normalize(name), version.to_owned())
        }
        _ if file.is_empty() || file.starts_with('.') => (file.to_owned(), String::new()),
        _ => (normalize(file), String::new()),
    }
}

/// The address without a name and password in front of the host.
pub fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    let bare = host.rsplit('@').next().unwrap_or(host);
    // An account name without a password is part of an SSH address, not a secret.
    let keeps = scheme.ends_with("ssh") && !host.contains(':');
    match keeps {
        true => address.to_owned(),
        false => format!("{scheme}://{bare}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins() {
        let check = |text: &str, expected: Option<&str>| {
            let found = asked(text).unwrap();
            assert_eq!(
                (found.name.as_str(), found.version.as_deref()),
                ("a", expected),
                "{text}"
            );
        };
        check("a==1.0", Some("1.0"));
        check(
            "A[x] == 1.0+local ; python_version < '3'",
            Some("1.0+local"),
        );
        check("a (==1.0)", Some("1.0"));
        check("a===weird", Some("weird"));
        check("a>=1,==1.5", Some("1.5"));
        for open in ["a", "a>=1", "a==1.*", "a~=1.0", "a==", "a!=1.0", "a<=1.0"] {
            check(open, None);
        }
    }

    #[test]
    fn places() {
        let check = |text: &str, expected: &str| {
            let found = asked(text).unwrap();
            let source = serde_json::to_string(&found.source)
                .unwrap()
                .replace('"', "");
            let version = found.version.unwrap();
            assert_eq!(
                format!("{} {version} {source}", found.name),
                expected,
                "{text}"
            );
        };
        let commit = "0123456789012345678901234567890123456789";
        check(
            &format!("a @ git+https://u:p@h/o/r.git@{commit}"),
            &format!("a  {{kind:git,url:https://h/o/r.git,commit:{commit}}}"),
        );
        check(
            "git+https://h/o/r.git@v1#egg=N_n[x]&subdirectory=s",
            "n-n  {kind:git,url:https://h/o/r.git,commit:null}",
        );
        check(
            "git+ssh://git@h/o/r.git",
            "r  {kind:git,url:ssh://git@h/o/r.git,commit:null}",
        );
        check(
            "a @ https://h/a-1.0.zip ; os_name == 'nt'",
            "a 1.0 {kind:url,url:https://h/a-1.0.zip}",
        );
        check(
            "https://h/N_n-1.0-py3-none-any.whl#sha256=00",
            "n-n 1.0 {kind:url,url:https://h/N_n-1.0-py3-none-any.whl}",
        );
        check("./sub/Folder", "folder  {kind:path,path:./sub/Folder}");
        check(
            "sub/a-2.0.tar.gz",
            "a 2.0 {kind:path,path:sub/a-2.0.tar.gz}",
        );
        check(
            "a-2.0-py3-none-any.whl",
            "a 2.0 {kind:path,path:a-2.0-py3-none-any.whl}",
        );
        check("file:///x/y", "y  {kind:path,path:/x/y}");
        check("a @ file:///x/y", "a  {kind:path,path:/x/y}");
        check(".", ".  {kind:workspace,path:.}");
        check(".[dev]", ".  {kind:workspace,path:.}");
        assert_eq!(editable("../b[x]").name, "b");
        assert_eq!(editable("a @ git+https://h/r").name, "a");
        for wrong in ["a b", "=1", "\u{0}"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
