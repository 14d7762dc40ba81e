//! Where clients that only exist in asynchronous form run: one thread, ended by Ctrl-C as every
//! other wait is. Proxies and certificates come from the environment as for `remote`.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::World;
use super::remote;
use crate::error::{Error, Result};

/// How often a wait looks whether the run has been asked to stop.
const WATCH: Duration = Duration::from_millis(100);

/// How long a connection may take.
pub const CONNECT: Duration = Duration::from_secs(15);
/// How long may pass without a byte.
pub const SILENCE: Duration = Duration::from_secs(60);

/// A place for asynchronous work.
#[derive(Debug)]
pub struct Runtime<'world> {
    world: &'world World,
    inner: tokio::runtime::Runtime,
}

impl<'world> Runtime<'world> {
    /// A new one, on the thread that waits.
    ///
    /// # Errors
    /// The system has no more of what it needs.
    pub fn new(world: &'world World) -> Result<Runtime<'world>> {
        let inner = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|cause| Error::failure(format!("start an asynchronous runtime: {cause}")))?;
        Ok(Runtime { world, inner })
    }

    /// Waits for the end of some work, but not longer than the run lasts.
    ///
    /// # Errors
    /// The run is interrupted.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        self.inner.block_on(async {
            let mut work = pin!(work);
            let mut watch = tokio::time::interval(WATCH);
            std::future::poll_fn(|task| {
                if let Poll::Ready(value) = work.as_mut().poll(task) {
                    return Poll::Ready(Ok(value));
                }
                while watch.poll_tick(task).is_ready() {
                    if let Err(error) = self.world.check_interrupted() {
                        return Poll::Ready(Err(error));
                    }
                }
                Poll::Pending
            })
            .await
        })
    }
}

/// Certificates beside those of the system, in DER form; and the provider of cryptography that
/// all TLS of this tool uses, installed for the libraries that ask for one.
///
/// # Errors
/// The environment names a file that holds none.
pub fn trust(world: &World) -> Result<Vec<Vec<u8>>> {
    // Whoever is first installs it; it is the same for all.
    drop(rustls::crypto::ring::default_provider().install_default());
    remote::named_certificates(world)
}

/// An HTTP client for the libraries that take one. It follows no redirect, because whoever asked
/// knows what may go along, and never sends anything twice by itself.
///
/// # Errors
/// Certificates in the environment that cannot be used.
pub fn client(world: &World) -> Result<reqwest::Client> {
    built(world, |builder| builder.read_timeout(SILENCE))
}

/// A client as [`client`] for sending files. The time that sending takes counts as silence to
/// the library, so here it never ends by itself: whoever sends says how long it may take.
///
/// # Errors
/// As [`client`].
pub fn sender(world: &World) -> Result<reqwest::Client> {
    built(world, |builder| builder)
}

fn built(
    world: &World,
    with: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
) -> Result<reqwest::Client> {
    let roots = trust(world)?;
    let roots = roots
        .iter()
        .filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let builder = reqwest::Client::builder()
        .user_agent(remote::USER_AGENT)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tls_certs_merge(roots);
    with(builder)
        .build()
        .map_err(|cause| Error::failure(format!("make an HTTP client: {cause}")))
}
