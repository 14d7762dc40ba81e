//! Names of objects that are made from the server's name.

use sha2::{Digest as _, Sha256};

use crate::model::Spec;

const LABEL_LIMIT: usize = 63;

/// A base with a suffix as a label of at most 63 characters; what is cut off is told apart by a
/// hash of the whole.
pub fn fitted(base: &str, suffix: &str) -> String {
    let whole = format!("{base}-{suffix}");
    if whole.len() <= LABEL_LIMIT {
        return whole;
    }
    let digest = Sha256::digest(whole.as_bytes());
    let word: String = digest.iter().take(3).map(|b| format!("{b:02x}")).collect();
    let room = LABEL_LIMIT.saturating_sub(suffix.len() + word.len() + 2);
    let kept: String = base.chars().take(room).collect();
    format!("{}-{word}-{suffix}", kept.trim_end_matches('-'))
}

/// `<server>-<part>-<revision>`: another name for another content, so that a change rolls out and
/// what was there before stays for going back. ConfigMaps and Secrets may have up to 253 characters.
pub fn revisioned(spec: &Spec, part: &str) -> String {
    format!("{}-{part}-{}", spec.identity.name, spec.revision())
}

/// The headless Service through which the pods of a StatefulSet have names.
pub fn peers(spec: &Spec) -> String {
    fitted(&spec.identity.name.service(), "peers")
}

/// The headless Service of the kernels that the server starts as pods.
pub fn kernels(spec: &Spec) -> String {
    fitted(&spec.identity.name.service(), "kernels")
}

/// The claim of a volume of a singleton.
pub fn claim(spec: &Spec, volume: &str) -> String {
    format!("{}-{volume}", spec.identity.name)
}

/// The host name, and the name of every object, of a companion: that of its Service, which starts
/// with a letter.
pub fn companion(spec: &Spec, name: &str) -> String {
    format!("{}-{name}", spec.identity.name.service())
}
