//! Where a package comes from when no index was asked, and the URLs of such places. Pure.

use crate::lockfile::poetry::Source;

/// An origin, comparable between a dependency that asks and a package that is locked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// What is there.
    pub kind: Kind,
    /// A URL, or an absolute path for [`Kind::Directory`] and [`Kind::File`].
    pub location: String,
    /// The branch, tag or commit, or the name of the index.
    pub reference: Option<String>,
    /// The commit that was found.
    pub commit: Option<String>,
    /// The folder inside the archive or checkout.
    pub subdirectory: Option<String>,
}

/// What is at an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A git repository.
    Git,
    /// A folder with a project.
    Directory,
    /// An archive on this machine.
    File,
    /// An archive on the web.
    Url,
    /// An index other than PyPI.
    Index,
}

impl Kind {
    /// Whether it names one artifact by itself, so that no version has to be asked for.
    pub fn is_direct(self) -> bool {
        self != Kind::Index
    }
}

impl Origin {
    /// The origin of a locked package; `folder` holds the lock file.
    pub fn of_locked(source: &Source, folder: &str) -> Origin {
        let kind = match source.kind.as_str() {
            "git" => Kind::Git,
            "directory" => Kind::Directory,
            "file" => Kind::File,
            "url" => Kind::Url,
            _ => Kind::Index,
        };
        let location = match kind {
            Kind::Git => git_url(&source.url).location,
            Kind::Directory | Kind::File => join(folder, &source.url),
            Kind::Url | Kind::Index => source.url.clone(),
        };
        Origin {
            kind,
            location,
            reference: source.reference.clone(),
            commit: source.resolved_reference.clone(),
            subdirectory: source.subdirectory.clone(),
        }
    }

    /// Whether two origins are the same place; a commit may be written short.
    fn is_same(&self, other: &Origin) -> bool {
        if self.kind != other.kind
            || self.location != other.location
            || self.subdirectory != other.subdirectory
        {
            return false;
        }
        match (&self.commit, &other.commit) {
            (Some(one), Some(two)) if one == two => return true,
            _ => {}
        }
        match (&self.reference, &other.reference) {
            (None, None) => true,
            (Some(one), Some(two)) => {
                let alike = one.starts_with(two.as_str()) || two.starts_with(one.as_str());
                let commits_differ = matches!((&self.commit, &other.commit), (Some(_), Some(_)));
                alike && !commits_differ
            }
            _ => false,
        }
    }

    /// The same for origins that may be absent, that is, PyPI.
    pub fn same(one: Option<&Origin>, other: Option<&Origin>) -> bool {
        match (one, other) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_same(other),
            _ => false,
        }
    }
}

/// A git URL taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitUrl {
    /// The repository as a URL with a scheme.
    pub location: String,
    /// The branch, tag or commit behind `@` or `#`.
    pub reference: Option<String>,
    /// The folder behind `#subdirectory=`.
    pub subdirectory: Option<String>,
}

/// Reads a git URL, also the short form `git@host:owner/name.git`.
pub fn git_url(text: &str) -> GitUrl {
    let text = text.strip_prefix("git+").unwrap_or(text);
    let (scheme, rest) = text.split_once("://").unwrap_or(("ssh", text));
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let user = &rest[..host_start];
    let host_and_path = &rest[host_start..];
    let host_end = host_and_path
        .find([':', '/'])
        .unwrap_or(host_and_path.len());
    let (host, mut path) = host_and_path.split_at(host_end);
    let mut port = "";
    if let Some(behind) = path.strip_prefix(':') {
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        let ends = behind[digits..].is_empty() || behind[digits..].starts_with('/');
        if digits > 0 && ends {
            (port, path) = path.split_at(digits + 1);
        }
    }
    let path_end = path.find(['@', '#']).unwrap_or(path.len());
    let (path, suffix) = path.split_at(path_end);
    let path = path.trim_start_matches([':', '/']);
    let (reference, subdirectory) = git_suffix(suffix);
    GitUrl {
        location: format!("{scheme}://{user}{host}{port}/{path}"),
        reference,
        subdirectory,
    }
}

/// What follows the path: `@reference`, `#egg=name&subdirectory=folder` and mixtures.
fn git_suffix(suffix: &str) -> (Option<String>, Option<String>) {
    let mut reference = None;
    let mut subdirectory = None;
    for (index, part) in suffix.split(['@', '#', '&']).enumerate() {
        if let Some(folder) = part.strip_prefix("subdirectory=") {
            subdirectory = Some(folder.to_owned());
        } else if index == 1 && !part.is_empty() && !part.starts_with("egg=") {
            reference = Some(part.to_owned());
        }
    }
    (reference, subdirectory)
}

/// Joins a path to a folder, resolving `.` and `..` by their text.
pub fn join(folder: &str, path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = if absolute {
        Vec::new()
    } else {
        folder.split('/').filter(|part| !part.is_empty()).collect()
    };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    format!("/{}", parts.join("/"))
}

/// An absolute path as a `file:` URL, everything but unreserved characters and `/` quoted.
pub fn file_url(path: &str) -> String {
    let mut url = "file://".to_owned();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'_' | b'.' | b'-' | b'~' => {
                url.push(char::from(byte));
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_urls_get_a_scheme_and_lose_their_suffix() {
        let check = |text: &str, location: &str, reference: &str, folder: &str| {
            let url = git_url(text);
            assert_eq!(url.location, location);
            assert_eq!(url.reference.unwrap_or_default(), reference);
            assert_eq!(url.subdirectory.unwrap_or_default(), folder);
        };
        let https = "https://example.org/a/b.git";
        check(
            &format!("git+{https}@v1#subdirectory=c/d"),
            https,
            "v1",
            "c/d",
        );
        check(&format!("{https}#egg=b&subdirectory=c"), https, "", "c");
        check(
            "git@example.org:a/b.git",
            "ssh://git@example.org/a/b.git",
            "",
            "",
        );
        let port = "ssh://git@example.org:2222/a/b.git";
        check(&format!("{port}@main"), port, "main", "");
        let password = "https://user:word@example.org/a/b";
        check(password, password, "", "");
    }

    #[test]
    fn paths_are_joined_and_quoted() {
        assert_eq!(join("/a/b", "../c/./d"), "/a/c/d");
        assert_eq!(join("/a", "/x/../y"), "/y");
        assert_eq!(file_url("/a b/ü~"), "file:///a%20b/%C3%BC~");
    }
}
