//! Signatures: Ed25519 over the raw bytes of a package, in an archive of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::super::vsix;

/// What the key is called.
pub const ID: &str = "11111111-2222-4333-8444-555555555555";

/// What comes before the 32 bytes of a key to make it an RFC 8410 `SubjectPublicKeyInfo`.
const PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// The key pair of a registry.
#[derive(Debug)]
pub struct Key(Ed25519KeyPair);

impl Key {
    /// Always the same one: it protects nothing.
    pub fn new() -> Key {
        Key(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap())
    }

    /// The public key as the registry gives it.
    pub fn pem(&self) -> String {
        let mut bytes = PREFIX.to_vec();
        bytes.extend(self.0.public_key().as_ref());
        let text = STANDARD.encode(bytes);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    /// The archive with the signature of a package.
    pub fn archive(&self, package: &[u8], bad: bool) -> Vec<u8> {
        let signature = match bad {
            true => self.0.sign(b"something else"),
            false => self.0.sign(package),
        };
        let manifest = vsix::digests(package).to_string();
        let entries = [
            (".signature.manifest", manifest.into_bytes()),
            (".signature.sig", signature.as_ref().to_vec()),
            (".signature.p7s", Vec::new()),
        ];
        vsix::archive(&entries.map(|(name, bytes)| (name.to_owned(), bytes)))
    }
}
