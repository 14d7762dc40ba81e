//! The name of a release's tag, and the version that a tag names. Pure.

use super::number::Number;

/// The tag of a version: `version.tag` with the version as Semantic Versioning has it, whatever
/// spelling it is given in.
pub fn name(pattern: &str, version: &str) -> String {
    let number = Number::parse(version);
    let version = number.map_or_else(|| version.to_owned(), |number| number.semantic());
    pattern.replace("{version}", &version)
}

/// The tags of this form as git matches names: what only begins alike, such as `vscode`, is none.
pub fn glob(pattern: &str) -> String {
    pattern.replace("{version}", "[0-9]*")
}

/// The version part of a tag of this form; `None` for a tag of another form.
pub fn version<'tag>(pattern: &str, tag: &'tag str) -> Option<&'tag str> {
    let (before, after) = pattern.split_once("{version}")?;
    let version = tag.strip_prefix(before)?.strip_suffix(after)?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_and_its_version_lead_to_each_other() {
        let check = |pattern: &str, stated: &str, expected: &str, back: &str| {
            let tag = name(pattern, stated);
            assert_eq!(tag, expected);
            assert_eq!(version(pattern, &tag), Some(back));
        };
        check("v{version}", "1.2.0", "v1.2.0", "1.2.0");
        check("v{version}", "1.2.0rc1", "v1.2.0-rc.1", "1.2.0-rc.1");
        check("server-{version}-x", "1.0", "server-1.0-x", "1.0");
        assert_eq!(version("v{version}", "nightly"), None);
        assert_eq!(version("v{version}", "vnext"), None);
        assert_eq!(version("v{version}", "x1.0"), None);
    }

    #[test]
    fn git_finds_no_tags_that_only_begin_alike() {
        assert_eq!(glob("v{version}"), "v[0-9]*");
        assert_eq!(glob("server-{version}-x"), "server-[0-9]*-x");
    }
}
