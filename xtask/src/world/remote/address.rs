//! Addresses: where they lead, through which proxy, and how they are shown. Pure.

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host, in lower case.
    pub host: String,
    /// Whether the way is encrypted.
    pub encrypted: bool,
}

/// Where an address leads. Only HTTPS may leave the machine.
///
/// # Errors
/// What is wrong with it.
pub fn place(address: &str) -> Result<Place, &'static str> {
    let (scheme, rest) = address.split_once("://").ok_or("no address")?;
    let encrypted = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("not https"),
    };
    if address.contains(['?', '#']) || address.chars().any(|one| one.is_control() || one == ' ') {
        return Err("more than a host and a path");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => host,
        None => authority,
    };
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    match host.is_empty() {
        true => Err("no host"),
        false if !encrypted && !is_local(&host) => Err("not encrypted"),
        false => Ok(Place { host, encrypted }),
    }
}

fn is_local(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether `host` or `host:port` is this machine.
pub fn is_loopback(authority: &str) -> bool {
    place(&format!("http://{authority}")).is_ok()
}

/// An address as that of a server and the path on it, with its slash.
pub fn split(address: &str) -> Option<(&str, &str)> {
    let start = address.find("://")? + 3;
    let rest = address.get(start..)?;
    let end = rest.find('/').map_or(address.len(), |at| start + at);
    let (base, path) = address.split_at_checked(end)?;
    Some((base, if path.is_empty() { "/" } else { path }))
}

/// An address without user, password and query.
pub fn shown(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = address.split_once("://") else {
        return match address.rsplit_once('@') {
            Some((_, rest)) => format!("…@{rest}"),
            None => address.to_owned(),
        };
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}{path}"),
        None => address.to_owned(),
    }
}

/// The variable that names the proxy for a place, and its value, by curl's rules: small letters
/// first, `HTTP_PROXY` in capitals never (a web server sets it from a header), and none for
/// hosts in `NO_PROXY`.
pub fn proxy<'value>(
    place: &Place,
    variable: impl Fn(&str) -> Option<&'value str>,
) -> Option<(&'static str, &'value str)> {
    let names: &[&'static str] = match place.encrypted {
        true => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
        false => &["http_proxy", "all_proxy", "ALL_PROXY"],
    };
    let excluded = variable("no_proxy").or_else(|| variable("NO_PROXY"));
    if excluded.is_some_and(|list| is_excluded(list, &place.host)) {
        return None;
    }
    names.iter().find_map(|name| Some((*name, variable(name)?)))
}

/// Whether a list of hosts and domains holds a host.
fn is_excluded(list: &str, host: &str) -> bool {
    list.split([',', ' ']).any(|entry| {
        let entry = entry.trim().to_ascii_lowercase();
        let entry = entry.strip_prefix("*.").unwrap_or(&entry);
        let entry = entry.trim_start_matches('.');
        let entry = entry.trim_start_matches('[').trim_end_matches(']');
        let below = || {
            host.strip_suffix(entry)
                .is_some_and(|rest| rest.ends_with('.'))
        };
        !entry.is_empty() && (entry == "*" || entry == host || below())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_ways_leave_the_machine() {
        let check = |address, expected: Result<(&str, bool), &'static str>| {
            let found = place(address).map(|place| (place.host, place.encrypted));
            let expected = expected.map(|(host, encrypted)| (host.to_owned(), encrypted));
            assert_eq!(found, expected, "{address}");
        };
        check("https://Example.org/a", Ok(("example.org", true)));
        check(
            "https://user:secret@example.org:8443",
            Ok(("example.org", true)),
        );
        check("http://127.0.0.1:80/a", Ok(("127.0.0.1", false)));
        check("http://[::1]:80", Ok(("::1", false)));
        check("http://localhost", Ok(("localhost", false)));
        check("http://example.org", Err("not encrypted"));
        check("http://127.0.0.1@example.org", Err("not encrypted"));
        check("http://localhost.example.org", Err("not encrypted"));
        check("ftp://example.org", Err("not https"));
        check("example.org", Err("no address"));
        check("https:///path", Err("no host"));
        check(
            "https://example.org/?key=1",
            Err("more than a host and a path"),
        );
        check(
            "https://example.org/a b",
            Err("more than a host and a path"),
        );
    }

    #[test]
    fn secrets_are_not_shown() {
        let check = |address, expected| assert_eq!(shown(address), expected);
        check("https://example.org/a/b", "https://example.org/a/b");
        check("https://u:p@example.org/a@b", "https://…@example.org/a@b");
        check("https://u:p@w@example.org", "https://…@example.org");
        check("https://example.org/a?key=1#x", "https://example.org/a");
        check("u:p@example.org", "…@example.org");
    }

    #[test]
    fn the_proxy_is_the_one_that_curl_would_take() {
        let check = |host: &str, encrypted, variables: &[(&str, &'static str)], expected| {
            let place = Place {
                host: host.to_owned(),
                encrypted,
            };
            let value = |name: &str| {
                let mut found = variables.iter().filter(|(one, _)| *one == name);
                found.next().map(|(_, value)| *value)
            };
            let found = proxy(&place, value).map(|(name, _)| name);
            assert_eq!(found, expected, "{host} {variables:?}");
        };
        check("a.org", true, &[], None);
        check("a.org", true, &[("HTTPS_PROXY", "x")], Some("HTTPS_PROXY"));
        check(
            "a.org",
            true,
            &[("HTTPS_PROXY", "x"), ("https_proxy", "y")],
            Some("https_proxy"),
        );
        check("a.org", true, &[("ALL_PROXY", "x")], Some("ALL_PROXY"));
        check("a.org", true, &[("http_proxy", "x")], None);
        check("a.org", false, &[("HTTP_PROXY", "x")], None);
        check("a.org", false, &[("http_proxy", "x")], Some("http_proxy"));
        for list in ["*", "a.org", ".a.org", "*.a.org", "b.org, A.org", "org"] {
            check(
                "a.org",
                true,
                &[("HTTPS_PROXY", "x"), ("NO_PROXY", list)],
                None,
            );
        }
        for list in ["", ",", "aa.org", "x.a.org", "a.or"] {
            check(
                "a.org",
                true,
                &[("HTTPS_PROXY", "x"), ("NO_PROXY", list)],
                Some("HTTPS_PROXY"),
            );
        }
        check(
            "x.a.org",
            true,
            &[("HTTPS_PROXY", "x"), ("no_proxy", "a.org")],
            None,
        );
        check(
            "::1",
            false,
            &[("http_proxy", "x"), ("no_proxy", "[::1]")],
            None,
        );
    }
}
