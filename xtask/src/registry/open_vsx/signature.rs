//! The signature that an Open VSX registry makes of every file it takes: Ed25519 over all bytes,
//! in a small archive of its own. Pure.
//!
//! The key comes from the same registry, so the signature tells that these bytes are the ones
//! that it took and checked, not who they are from.

use std::io::{Cursor, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use zip::ZipArchive;

/// Where the signature is in its archive.
const ENTRY: &str = ".signature.sig";

/// An Ed25519 signature (RFC 8032).
const LENGTH: u64 = 64;

/// What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410).
const PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Holds bytes against a signature archive and a key in PEM form.
///
/// # Errors
/// What is wrong, in a few words.
pub fn verify(bytes: &[u8], archive: &[u8], pem: &[u8]) -> Result<(), String> {
    let signature = signature(archive)?;
    let key = UnparsedPublicKey::new(&ED25519, key(pem)?);
    key.verify(bytes, &signature)
        .map_err(|_| "it is not of these bytes".to_owned())
}

fn signature(archive: &[u8]) -> Result<Vec<u8>, String> {
    let broken = |cause: &dyn std::fmt::Display| format!("its archive: {cause}");
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(|cause| broken(&cause))?;
    let mut entry = archive.by_name(ENTRY).map_err(|cause| broken(&cause))?;
    let mut signature = Vec::new();
    (&mut entry)
        .take(LENGTH + 1)
        .read_to_end(&mut signature)
        .map_err(|cause| broken(&cause))?;
    match signature.len() as u64 == LENGTH {
        true => Ok(signature),
        false => Err(format!("{ENTRY} is not {LENGTH} bytes long")),
    }
}

fn key(pem: &[u8]) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(pem);
    let body = text
        .split_once("-----BEGIN PUBLIC KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"));
    let body: String = match body {
        Some((body, _)) => body.split_whitespace().collect(),
        None => return Err("the key is not in PEM form".to_owned()),
    };
    let der = STANDARD.decode(body).ok();
    let key = der.as_deref().and_then(|der| der.strip_prefix(&PREFIX));
    match key {
        Some(key) if key.len() == 32 => Ok(key.to_vec()),
        _ => Err("the key is no Ed25519 key".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ring::signature::{Ed25519KeyPair, KeyPair};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn archive(name: &str, content: &[u8]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.start_file(".signature.manifest", options).unwrap();
        writer.start_file(name, options).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn pem(key: &[u8]) -> Vec<u8> {
        let body = STANDARD.encode([&PREFIX, key].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes()
    }

    #[test]
    fn a_signature_holds_for_the_bytes_and_the_key_it_was_made_with() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let signature = pair.sign(b"bytes");
        let sound = archive(ENTRY, signature.as_ref());
        let pem_of = |pair: &Ed25519KeyPair| pem(pair.public_key().as_ref());
        let check = |bytes: &[u8], archive: &[u8], pem: &[u8], expected: Result<(), &str>| {
            let found = verify(bytes, archive, pem);
            match expected {
                Ok(()) => assert_eq!(found, Ok(())),
                Err(part) => assert!(found.clone().unwrap_err().contains(part), "{found:?}"),
            }
        };
        check(b"bytes", &sound, &pem_of(&pair), Ok(()));
        let foreign = Err("it is not of these bytes");
        check(b"byteZ", &sound, &pem_of(&pair), foreign);
        check(b"bytes", &sound, &pem_of(&other), foreign);
        check(
            b"bytes",
            &archive("x", b""),
            &pem_of(&pair),
            Err("its archive"),
        );
        let short = archive(ENTRY, b"short");
        check(b"bytes", &short, &pem_of(&pair), Err("not 64 bytes long"));
        check(b"bytes", b"no zip", &pem_of(&pair), Err("its archive"));
        check(b"bytes", &sound, b"no key", Err("PEM"));
        check(b"bytes", &sound, &pem(&[1; 31]), Err("no Ed25519 key"));
    }

    /// A key and a signature as OpenSSL writes them (RFC 8032, 7.1, test 3).
    #[test]
    fn the_form_is_that_of_other_programs() {
        let hex = |text: &str| -> Vec<u8> {
            let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
            let pair = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
            digits.chunks(2).map(pair).collect()
        };
        let key = hex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
        let signature = hex(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        );
        let pem = pem(&key);
        assert!(String::from_utf8_lossy(&pem).contains("MCowBQYDK2VwAyEA"));
        verify(&hex("af82"), &archive(ENTRY, &signature), &pem).unwrap();
    }
}
