//! A service that asks a real registry on the loopback interface, so that a front can play its
//! faults before it. It keeps nothing and changes nothing but addresses: the registry believes to
//! be where the front is, and where it names itself all the same, the front is named.
//!
//! Requests go on one after the other, and with their whole body. What is stored is a question for
//! the registry, so `stored` is empty.

#[cfg(test)]
mod tests;

use super::client;
use super::front::Service;
use super::message::{Asked, Reply};

/// A registry behind a front.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Host and port of the registry.
    upstream: String,
}

/// What belongs to one connection and not to what is said over it.
const OF_THE_CONNECTION: [&str; 7] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
];

impl Proxy {
    /// A registry at `HOST:PORT`, or at `http://HOST:PORT`.
    pub fn to(upstream: &str) -> Proxy {
        let upstream = upstream.trim_start_matches("http://");
        Proxy {
            upstream: upstream.trim_end_matches('/').to_owned(),
        }
    }
}

impl Service for Proxy {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let passes = |name: &str| !OF_THE_CONNECTION.contains(&name);
        let mut asked = asked.clone();
        asked.headers.retain(|(name, _)| passes(name));
        let front = asked.header("host").unwrap_or_default().to_owned();
        let mut reply = match client::send(&self.upstream, &asked) {
            Ok(reply) => reply,
            Err(cause) => return Reply::new(502, format!("{}: {cause}\n", self.upstream)),
        };
        // What a HEAD request asks for keeps its length; every other length is counted anew.
        let counted = asked.method == "HEAD";
        reply
            .headers
            .retain(|(name, _)| passes(name) || (counted && name == "content-length"));
        for (_, value) in &mut reply.headers {
            *value = value.replace(&self.upstream, &front);
        }
        reply
    }

    fn stored(&self) -> Vec<String> {
        Vec::new()
    }
}
