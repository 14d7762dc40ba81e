//! How many connections may be open: one too many is closed before it can ask anything, so that many
//! slow clients do not take the files and the memory of all others.

use std::future::{Ready, ready};
use std::io::{Error, IoSlice, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Accepts connections as long as there are not too many.
#[derive(Debug, Clone)]
pub struct Counted {
    free: Arc<Semaphore>,
}

impl Counted {
    /// At most so many at once.
    pub fn new(at_most: usize) -> Counted {
        Counted {
            free: Arc::new(Semaphore::new(at_most)),
        }
    }
}

impl<S> Accept<TcpStream, S> for Counted {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(match Arc::clone(&self.free).try_acquire_owned() {
            Ok(held) => {
                // An event is small, and shall not wait for the next one; without that it is late.
                let _ = stream.set_nodelay(true);
                let connection = Connection {
                    stream,
                    _held: held,
                };
                Ok((connection, service))
            }
            Err(_) => Err(Error::other("too many connections are open")),
        })
    }
}

/// A connection, counted until it is closed.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    _held: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
