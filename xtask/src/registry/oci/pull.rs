//! Reading an image from a registry, one blob at a time.

use std::future::Future;

use oci_client::errors::OciDistributionError;
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};

use super::credential::{self, Credential};
use super::failure::{self, is_missing};
use super::{BUSY, LOOKING, SENDING, place};
use crate::artifact::Digest;
use crate::error::{Error, Result};
use crate::image::base::{INDEX_TYPES, MANIFEST_TYPES};
use crate::image::reference::Remote;
use crate::world::World;
use crate::world::remote;
use crate::world::runtime::Runtime;

/// A repository that is read from.
pub struct Source<'run> {
    runtime: Runtime<'run>,
    client: Client,
    credential: Option<Credential>,
    remote: &'run Remote,
}

impl<'run> Source<'run> {
    /// Opens the repository of a base. A registry on this machine is spoken to without TLS.
    ///
    /// # Errors
    /// A credential that cannot be read.
    pub fn open(world: &'run World, from: &'run Remote) -> Result<Source<'run>> {
        Ok(Source {
            runtime: Runtime::new(world)?,
            client: place::client(world, &from.host, remote::is_loopback(&from.host))?,
            credential: credential::find(world, &from.host)?,
            remote: from,
        })
    }

    /// The bytes of a manifest.
    ///
    /// # Errors
    /// The registry cannot be reached or has none.
    pub fn manifest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let reference = self.by_digest(digest);
        let auth = self.auth();
        let accepted: Vec<&str> = INDEX_TYPES.into_iter().chain(MANIFEST_TYPES).collect();
        let work = self.client.pull_manifest_raw(&reference, &auth, &accepted);
        let (bytes, _) = self.call(LOOKING, work)?;
        Ok(bytes.to_vec())
    }

    /// The bytes of another blob.
    ///
    /// # Errors
    /// As [`Source::manifest`].
    pub fn blob(&self, digest: &Digest) -> Result<Vec<u8>> {
        let reference = self.by_digest(digest);
        let descriptor = OciDescriptor {
            digest: digest.to_string(),
            ..OciDescriptor::default()
        };
        let auth = self.auth();
        let mut bytes = Vec::new();
        let work = async {
            let registry = reference.resolve_registry();
            self.client.store_auth_if_needed(registry, &auth).await;
            self.client
                .pull_blob(&reference, &descriptor, &mut bytes)
                .await
        };
        self.call(SENDING, work)?;
        Ok(bytes)
    }

    /// The digest that a tag names now.
    ///
    /// # Errors
    /// As [`Source::manifest`].
    pub fn digest_of(&self, tag: &str) -> Result<Digest> {
        let (host, path) = (self.remote.host.clone(), self.remote.repository.clone());
        let reference = Reference::with_tag(host, path, tag.to_owned());
        let auth = self.auth();
        let work = self.client.fetch_manifest_digest(&reference, &auth);
        Digest::parse(&self.call(LOOKING, work)?)
    }

    fn by_digest(&self, digest: &Digest) -> Reference {
        let (host, path) = (self.remote.host.clone(), self.remote.repository.clone());
        Reference::with_digest(host, path, digest.to_string())
    }

    fn auth(&self) -> RegistryAuth {
        match &self.credential {
            Some(credential) => RegistryAuth::Basic(
                credential.username.clone(),
                credential.password.reveal().to_owned(),
            ),
            None => RegistryAuth::Anonymous,
        }
    }

    fn call<T>(
        &self,
        limit: std::time::Duration,
        work: impl Future<Output = std::result::Result<T, OciDistributionError>>,
    ) -> Result<T> {
        let shown = self.remote.name();
        let limited = async { tokio::time::timeout(limit, work).await };
        match self.runtime.wait(limited)? {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if is_missing(&error) => Err(Error::precondition(format!(
                "{shown}: the registry has no such image"
            ))),
            // It compares too; what it found is damage, as in `image/base`.
            Ok(Err(OciDistributionError::DigestError(cause))) => Err(Error::refused(format!(
                "{shown}: the registry gave other bytes than it was asked for: {cause}"
            ))),
            Ok(Err(error)) => {
                let secret = self.credential.as_ref().map(|found| &found.password);
                let trouble = failure::trouble(&shown, secret, BUSY, error);
                Err(Error::precondition(trouble.what)
                    .hint("is the network up? a base can also be an OCI layout: --base oci:PATH"))
            }
            Err(_) => {
                let seconds = limit.as_secs();
                Err(Error::precondition(format!(
                    "{shown}: no whole answer in {seconds} s"
                )))
            }
        }
    }
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Source({})", self.remote.name())
    }
}
