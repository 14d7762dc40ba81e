//! Addresses and paths as they may be published: without credentials, without this machine. Pure.

/// An address without credentials, query and fragment; `None` when it leads to this machine, or
/// is no address.
pub fn public(url: &str) -> Option<String> {
    let plain = url.split(['?', '#']).next().unwrap_or_default().trim();
    match plain.split_once("://") {
        Some((scheme, rest)) if is_remote(scheme) => joined(scheme, rest),
        Some(_) => None,
        None => remote_shell(plain),
    }
}

/// The address of a page for people, which may have query and fragment; `None` when it is none.
pub fn page(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, fragment)) => (rest, format!("#{}", escaped(&fragment.replace('#', "%23")))),
        None => (rest, String::new()),
    };
    let page = ["https", "http"]
        .contains(&scheme)
        .then(|| joined(scheme, rest))??;
    Some(page + &fragment)
}

/// A git repository, as SPDX and package URLs write it: `git+https://host/path@commit`.
pub fn git(url: &str, commit: Option<&str>) -> Option<String> {
    let address = public(url)?;
    let prefix = if address.starts_with("git") {
        ""
    } else {
        "git+"
    };
    let commit = commit.map(|commit| format!("@{}", escaped(commit)));
    Some(format!("{prefix}{address}{}", commit.unwrap_or_default()))
}

/// A path from the root, given from a file's folder; `None` when it leads out of the root, and
/// empty for the root itself.
pub fn inside(file: &str, path: &str) -> Option<String> {
    let path = path.strip_prefix("file:").unwrap_or(path);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    if path.starts_with(['/', '~']) || path.contains(['\\', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

fn is_remote(scheme: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-');
    !scheme.is_empty() && scheme.bytes().all(plain) && !scheme.ends_with("file")
}

fn joined(scheme: &str, rest: &str) -> Option<String> {
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = host(authority);
    is_host(&host).then(|| format!("{scheme}://{host}{}", escaped(path)))
}

/// A name or a number, perhaps with a port (RFC 3986, section 3.2).
fn is_host(text: &str) -> bool {
    let text = text.strip_prefix("git@").unwrap_or(text);
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (text, ""),
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let number = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    let inner = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let named = !name.is_empty() && name.bytes().all(plain);
    (named || inner.is_some_and(|inner| inner.contains(':') && inner.bytes().all(number)))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Without the credentials; the user `git` is part of how such hosts are addressed.
fn host(authority: &str) -> String {
    match authority.rsplit_once('@') {
        Some(("git", host)) => format!("git@{host}"),
        Some((_, host)) => host.to_owned(),
        None => authority.to_owned(),
    }
}

/// `git@host:path` is short for `ssh://git@host/path`.
fn remote_shell(text: &str) -> Option<String> {
    let (authority, path) = text.split_once(':')?;
    let (user, name) = authority.rsplit_once('@')?;
    if user.contains('/') || name.is_empty() || name.contains('/') {
        return None;
    }
    joined("ssh", &format!("{authority}/{path}"))
}

/// Percent-encodes what no address may hold (RFC 3986).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().copied().enumerate() {
        let kept = match byte {
            b'%' => {
                matches!(bytes.get(index + 1..index + 3), Some([one, two]) if one.is_ascii_hexdigit() && two.is_ascii_hexdigit())
            }
            _ => byte.is_ascii_graphic() && !b"\"<>\\^`{|}[]".contains(&byte),
        };
        if kept {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_secret_or_local() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(public(url).as_deref(), expected, "{url}");
        };
        check("https://h.example/a.tgz", Some("https://h.example/a.tgz"));
        check("https://me:pass@h.example/a", Some("https://h.example/a"));
        check("https://a@b@h.example", Some("https://h.example"));
        check("https://h.example/a?token=t#f", Some("https://h.example/a"));
        check(
            "ssh://git@h.example/a.git",
            Some("ssh://git@h.example/a.git"),
        );
        check("git@h.example:o/r.git", Some("ssh://git@h.example/o/r.git"));
        check("me:pass@h.example:o/r", None);
        check(
            "https://h.example/a b\0",
            Some("https://h.example/a%20b%00"),
        );
        check(
            "https://h.example/a[b]%zz%20",
            Some("https://h.example/a%5Bb%5D%25zz%20"),
        );
        check("https://[::1]:8080/a", Some("https://[::1]:8080/a"));
        for odd in [
            "https://h:port/a",
            "https://h e/a",
            "https://[x]/a",
            "https:///a",
            "://a",
        ] {
            check(odd, None);
        }
        check("file:///home/me/a", None);
        check("git+file:///home/me/a", None);
        check("/home/me/a", None);
        check("../a", None);
        check("", None);
    }

    #[test]
    fn pages_keep_query_and_fragment() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(page(url).as_deref(), expected, "{url}");
        };
        check(
            "https://h.example/a?id=1#b",
            Some("https://h.example/a?id=1#b"),
        );
        check("https://h.example?a#b#c", Some("https://h.example?a#b%23c"));
        check("javascript:alert(1)", None);
        check("javascript://h.example/%0aalert(1)", None);
    }

    #[test]
    fn git_addresses_carry_the_commit() {
        let check = |url: &str, commit: Option<&str>, expected: &str| {
            assert_eq!(git(url, commit).as_deref(), Some(expected), "{url}");
        };
        check(
            "https://h.example/r",
            Some("abc"),
            "git+https://h.example/r@abc",
        );
        check("git+https://h.example/r", None, "git+https://h.example/r");
        check("git://h.example/r", None, "git://h.example/r");
        check("git@h.example:r", Some("a"), "git+ssh://git@h.example/r@a");
        assert_eq!(git("/srv/r", Some("abc")), None);
    }

    #[test]
    fn paths_stay_inside_of_the_root() {
        let check = |file: &str, path: &str, expected: Option<&str>| {
            assert_eq!(inside(file, path).as_deref(), expected, "{file} {path}");
        };
        check("a/b.lock", "c", Some("a/c"));
        check("a/b.lock", "../c/./d", Some("c/d"));
        check("a/b.lock", "file:../c", Some("c"));
        check("b.lock", "", Some(""));
        check("b.lock", "../c", None);
        check("b.lock", "/home/me/c", None);
        check("b.lock", "file:///home/me/c", None);
        check("b.lock", "C:\\me", None);
    }
}
