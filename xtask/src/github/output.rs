//! The outputs of a step, as lines for the file that `GITHUB_OUTPUT` names.

use crate::artifact::{Digest, Kind, Manifest};

/// What later steps and jobs take from a release: `version`, `wheel` and `manifest-digest`.
pub fn release(manifest: &Manifest) -> String {
    let wheel = manifest.find(Kind::Wheel).map(|wheel| wheel.path.as_str());
    let digest = Digest::of(manifest.text().as_bytes());
    [
        ("version", manifest.version.as_str()),
        ("wheel", wheel.unwrap_or_default()),
        ("manifest-digest", &digest.to_string()),
    ]
    .map(|(name, value)| line(name, value))
    .concat()
}

/// One output. A value of several lines would end it and begin others.
fn line(name: &str, value: &str) -> String {
    let value = value.replace(['\r', '\n'], " ");
    format!("{name}={value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_two_outputs() {
        assert_eq!(line("a", "b\nc=d\r"), "a=b c=d \n");
    }
}
