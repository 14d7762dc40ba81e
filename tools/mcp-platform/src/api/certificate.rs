//! The certificate of the listener: read and checked before it is used, so that a wrong file is an
//! error of the one who starts or reloads the platform, and not of every client.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum_server::tls_rustls::RustlsConfig;
use jiff::Timestamp;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};

use crate::error::{Error, Result};

/// A certificate and its key, as files.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The chain, PEM.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

/// Both as they are in the files.
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the files for a listener.
    ///
    /// # Errors
    /// A file cannot be read, or is none; they do not belong together; it is not good now.
    pub async fn load(&self, now: Timestamp) -> Result<RustlsConfig> {
        let pem = self.read(now).await?;
        RustlsConfig::from_pem(pem.certificate, pem.key)
            .await
            .map_err(|error| self.unusable(&error))
    }

    /// Reads the files again for those who connect from now on.
    ///
    /// # Errors
    /// As for [`Certificate::load`]; the old certificate stays.
    pub async fn reload(&self, config: &RustlsConfig, now: Timestamp) -> Result<()> {
        let pem = self.read(now).await?;
        config
            .reload_from_pem(pem.certificate, pem.key)
            .await
            .map_err(|error| self.unusable(&error))
    }

    async fn read(&self, now: Timestamp) -> Result<Pem> {
        let pem = Pem {
            certificate: read(&self.certificate).await?,
            key: read(&self.key).await?,
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem.certificate)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| no_pem(&self.certificate, "certificate", &error.to_string()))?;
        if chain.is_empty() {
            return Err(no_pem(&self.certificate, "certificate", "there is none"));
        }
        if PrivateKeyDer::from_pem_slice(&pem.key).is_err() {
            return Err(no_pem(
                &self.key,
                "unencrypted private key",
                "there is none",
            ));
        }
        for certificate in &chain {
            good_now(&self.certificate, certificate, now)?;
        }
        Ok(pem)
    }

    fn unusable(&self, error: &std::io::Error) -> Error {
        Error::precondition(format!(
            "the certificate {} cannot be used with the key {}: {error}",
            self.certificate.display(),
            self.key.display()
        ))
        .hint("the first certificate of the chain and the key must be a pair")
    }
}

async fn read(path: &Path) -> Result<Vec<u8>> {
    tokio::fs::read(path)
        .await
        .map_err(|error| Error::precondition(format!("cannot read {}: {error}", path.display())))
}

fn no_pem(path: &Path, what: &str, why: &str) -> Error {
    Error::precondition(format!("{} holds no {what}: {why}", path.display()))
        .hint("both are PEM files: the chain, and its unencrypted key")
}

/// Whether a certificate is good at a time. Who signed it, and for whom, is for the clients to judge.
fn good_now(path: &Path, certificate: &CertificateDer<'_>, now: Timestamp) -> Result<()> {
    let wrong = |why: String| {
        Error::precondition(format!("the certificate {}: {why}", path.display()))
            .hint("give a certificate that is good now, with its whole chain")
    };
    let mut roots = RootCertStore::empty();
    roots
        .add(certificate.clone().into_owned())
        .map_err(|error| wrong(error.to_string()))?;
    let cryptography = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), cryptography)
        .build()
        .map_err(|error| wrong(error.to_string()))?;
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let name = ServerName::try_from("localhost").expect("localhost is a DNS name");
    match verifier.verify_server_cert(certificate, &[], &name, &[], now) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext {
            not_after,
            ..
        })) => Err(wrong(format!("it expired at {}", shown(not_after)))),
        Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before,
            ..
        })) => Err(wrong(format!("it is good only from {}", shown(not_before)))),
        _ => Ok(()),
    }
}

fn shown(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .map_or_else(|| "an unknown time".to_owned(), |time| time.to_string())
}
