//! Where a repository of a registry is, and a client that speaks to it.

use oci_client::Client;
use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};

use super::SENDING;
use crate::error::{Error, Result};
use crate::world::World;
use crate::world::{remote, runtime};

/// A client, which speaks without TLS only when that is asked for.
pub fn client(world: &World, host: &str, plain_http: bool) -> Result<Client> {
    let roots = runtime::trust(world)?.into_iter();
    let certificate = |data| Certificate {
        encoding: CertificateEncoding::Der,
        data,
    };
    Client::try_from(ClientConfig {
        protocol: match plain_http {
            true => ClientProtocol::Http,
            false => ClientProtocol::Https,
        },
        use_monolithic_push: true,
        extra_root_certificates: roots.map(certificate).collect(),
        // The time of sending counts as silence.
        read_timeout: Some(SENDING),
        connect_timeout: Some(runtime::CONNECT),
        user_agent: remote::USER_AGENT,
        ..ClientConfig::default()
    })
    .map_err(|cause| Error::failure(format!("make a client for {host}: {cause}")))
}

/// The host and the path of a repository such as `ghcr.io/owner/name`.
pub fn parse(repository: &str) -> Result<(&str, &str)> {
    let wrong = |what: &str| {
        Error::usage(format!("{repository}: {what}"))
            .hint("write it as host/path, such as ghcr.io/owner/name, without a tag")
    };
    let (host, path) = repository
        .split_once('/')
        .ok_or_else(|| wrong("names no registry"))?;
    match is_host(host) && is_name(path) {
        true => Ok((host, path)),
        false => Err(wrong("is no repository of a registry")),
    }
}

/// Whether this is a host, perhaps with a port, as Docker tells it from the first word of a path.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().is_ok()),
        None => (host, host == "localhost" || host.contains('.')),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    port && !name.is_empty() && name.chars().all(plain)
}

/// Whether a path is a repository's name: lower-case words joined by separators, in parts
/// (OCI distribution specification, "Pulling manifests").
fn is_name(path: &str) -> bool {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let word = |part: &str| {
        part.starts_with(letter)
            && part.ends_with(letter)
            && part.chars().all(|c| letter(c) || "._-".contains(c))
            && !part.contains("..")
    };
    path.split('/').all(word)
}

#[cfg(test)]
mod tests {
    use super::{is_host, is_name};

    #[test]
    fn a_host_has_a_dot_or_a_port_and_no_user() {
        for host in [
            "ghcr.io",
            "localhost",
            "localhost:5000",
            "127.0.0.1:1",
            "[::1]:5000",
        ] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "owner",
            "",
            "a b.io",
            "u:p@ghcr.io",
            "127.0.0.1:99999",
            ":5000",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }

    #[test]
    fn a_name_has_no_tag_and_no_capitals() {
        for name in ["a", "a/b-c.d/e_f", "owner/name"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "a/", "A", "a:1", "a@sha256", "-a", "a b"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
