//! What the answers of an Open VSX registry mean. Pure.

use serde_json::Value;

use crate::error::Kind;
use crate::product::vsix::identity::Identity;

/// The oldest registry that reads a token from a header; older ones look only at the address.
const HEADER_SINCE: semver::Version = semver::Version::new(1, 3, 0);

/// What a registry says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Whether it takes a token in a header.
    pub header: bool,
    /// The audience of the tokens that it takes from a trusted publisher, when it says so.
    pub audience: Option<String>,
    /// The largest file that it takes from everybody, when it says so.
    pub largest: Option<u64>,
}

/// Reads what a registry says of itself. One that says nothing is an old one.
pub fn about(body: &[u8]) -> About {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let version = value["version"].as_str().and_then(version);
    let audience = value["trustedPublishingAudience"].as_str();
    About {
        header: version.is_some_and(|version| version >= HEADER_SINCE),
        audience: audience.map(str::to_owned),
        largest: value["maxExtensionSize"].as_u64().filter(|size| *size > 0),
    }
}

/// The three numbers that a version begins with, with or without a `v`.
fn version(text: &str) -> Option<semver::Version> {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let numbers = text.split(['-', '+']).next()?;
    let mut numbers = numbers.split('.').map(str::parse);
    let major = numbers.next()?.ok()?;
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
    Some(semver::Version::new(major, next(), next()))
}

/// What a registry states of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Where the file is.
    pub download: Option<String>,
    /// Where its sha256 is, or the digits themselves.
    pub sha256: Option<String>,
    /// Where its signature is.
    pub signature: Option<String>,
    /// Where the key of the signature is.
    pub key: Option<String>,
}

/// Reads what a registry states of one version; `None` when it states something else.
///
/// # Errors
/// What is wrong with it.
pub fn stated(body: &[u8], identity: &Identity) -> Result<Option<Stated>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|cause| format!("no JSON: {cause}"))?;
    if let Some(error) = value["error"].as_str() {
        return match error.contains("not found") {
            true => Ok(None),
            false => Err(error.to_owned()),
        };
    }
    let version = value["version"].as_str();
    let version = version.ok_or("the answer states no version")?;
    if !identity.is(version, value["targetPlatform"].as_str()) {
        return Ok(None);
    }
    let file = |name: &str| value["files"][name].as_str().map(str::to_owned);
    Ok(Some(Stated {
        download: file("download"),
        sha256: file("sha256"),
        signature: file("signature"),
        key: file("publicKey"),
    }))
}

/// What an answer to a file means that does not say that it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The version is taken: by what, and whether it can be seen, only looking tells.
    Exists,
    /// The reason, and how to mend it.
    Last(Kind, Option<String>),
}

/// Reads the reason of a refusal. The words are those of the server's
/// `PublishExtensionVersionHandler`; older servers say all of them with status 400.
pub fn refusal(status: u16, said: &str, namespace: &str, url: &str) -> Refusal {
    let hinted = |kind, hint: String| Refusal::Last(kind, Some(hint));
    let has = |part: &str| said.contains(part);
    if has("is already published") && has("was removed") {
        let hint = "a removed version is never free again: raise the version";
        return hinted(Kind::Conflict, hint.to_owned());
    }
    if has("is already published") {
        return Refusal::Exists;
    }
    if has("Unknown publisher") {
        let hint = format!("create the namespace once: npx ovsx create-namespace {namespace}");
        return hinted(Kind::Precondition, hint);
    }
    if has("Publisher Agreement") {
        let hint = format!("sign it once: {url}/user-settings/profile");
        return hinted(Kind::Precondition, hint);
    }
    if status == 401 || has("nvalid access token") {
        let hint = format!("make a token and set OVSX_PAT: {url}/user-settings/tokens");
        return hinted(Kind::Precondition, hint);
    }
    if status == 403 || has("Insufficient access rights") {
        let hint = format!("ask an owner of the namespace {namespace} to add this user");
        return hinted(Kind::Precondition, hint);
    }
    Refusal::Last(Kind::Failure, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registry_that_says_so_is_new_enough_for_a_header() {
        let check = |body: &str, expected| assert_eq!(about(body.as_bytes()).header, expected);
        check(r#"{"version":"1.3.0"}"#, true);
        check(r#"{"version":"v1.3.0-rc1"}"#, true);
        check(r#"{"version":"2"}"#, true);
        check(r#"{"version":"1.2.9"}"#, false);
        check(r#"{"version":"v0.34.1"}"#, false);
        check(r#"{"version":"main"}"#, false);
        check("<html>", false);
        let body = r#"{"trustedPublishingAudience":"https://a","maxExtensionSize":5}"#;
        let found = about(body.as_bytes());
        assert_eq!(found.audience.as_deref(), Some("https://a"));
        assert_eq!(found.largest, Some(5));
    }

    #[test]
    fn another_platform_is_not_this_file() {
        let identity = Identity {
            publisher: "p".to_owned(),
            name: "n".to_owned(),
            version: "1.0.0".to_owned(),
            platform: Some("linux-x64".to_owned()),
        };
        let read = |body: &str| stated(body.as_bytes(), &identity);
        let body = r#"{"version":"1.0.0","targetPlatform":"linux-x64","files":{"sha256":"x"}}"#;
        let found = read(body).unwrap().unwrap();
        assert_eq!(found.sha256.as_deref(), Some("x"));
        assert_eq!(found.signature, None);
        for body in [
            r#"{"version":"1.0.0","targetPlatform":"universal"}"#,
            r#"{"version":"1.0.0"}"#,
            r#"{"version":"1.0.1","targetPlatform":"linux-x64"}"#,
            r#"{"error":"Extension not found: p.n"}"#,
        ] {
            assert_eq!(read(body), Ok(None), "{body}");
        }
        assert_eq!(read(r#"{"error":"broken"}"#), Err("broken".to_owned()));
        read("{}").unwrap_err();
        read("<html>").unwrap_err();
    }

    #[test]
    fn a_refusal_says_how_to_go_on() {
        let check = |status, said: &str, expected: Option<(Kind, &str)>| {
            let found = refusal(status, said, "p", "https://a");
            match (&found, expected) {
                (Refusal::Exists, None) => {}
                (Refusal::Last(kind, hint), Some((expected, part))) => {
                    assert_eq!(*kind, expected, "{said}");
                    let hint = hint.clone().unwrap_or_default();
                    assert!(hint.contains(part), "{hint}");
                }
                _ => panic!("{said}: {found:?}"),
            }
        };
        let exists = "Extension p.n 1.0.0 is already published";
        check(400, &format!("{exists}."), None);
        let inactive = ", but currently isn't active and therefore not visible.";
        check(400, &format!("{exists}{inactive}"), None);
        let removed = format!("{exists} and was removed. Extension versions are immutable");
        check(400, &removed, Some((Kind::Conflict, "raise the version")));
        let missing = Some((Kind::Precondition, "create-namespace p"));
        check(400, "Unknown publisher: p", missing);
        let token = Some((Kind::Precondition, "OVSX_PAT"));
        check(400, "Invalid access token.", token);
        check(401, "", token);
        let member = Some((Kind::Precondition, "owner of the namespace p"));
        check(400, "Insufficient access rights for publisher: p", member);
        check(403, "", member);
        let agreement = "You must sign a Publisher Agreement with the Eclipse Foundation";
        check(400, agreement, Some((Kind::Precondition, "profile")));
        check(400, "the license is missing", Some((Kind::Failure, "")));
        check(413, "", Some((Kind::Failure, "")));
    }
}
