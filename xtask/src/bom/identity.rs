//! Identifiers that depend on content alone. Pure.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// A UUID of version 8 (RFC 9562, section 5.8) from the first bytes of the sha256 of a
/// document's parts: equal documents have equal identifiers, others have others.
pub fn uuid(parts: &[&Value]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.to_string().as_bytes());
    }
    let digest = hasher.finalize();
    let mut number = [0_u8; 16];
    for (to, from) in number.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    let number = u128::from_be_bytes(number);
    let version = (number & !(0xf_u128 << 76)) | (0x8_u128 << 76);
    let variant = (version & !(0x3_u128 << 62)) | (0x2_u128 << 62);
    let hex = format!("{variant:032x}");
    let mut text = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// The beginning of a text's sha256, to tell names apart that look alike.
pub fn short(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identifiers_have_the_form_of_version_8_and_depend_on_the_content() {
        let one = uuid(&[&json!({ "a": 1 })]);
        let shape: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'8', "{one}");
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
        assert_eq!(one, uuid(&[&json!({ "a": 1 })]));
        assert_ne!(one, uuid(&[&json!({ "a": 2 })]));
        assert_ne!(short("a"), short("b"));
    }
}
