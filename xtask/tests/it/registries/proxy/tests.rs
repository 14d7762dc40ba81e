//! The proxy before another front, which plays the real registry.

use super::super::client::ask;
use super::super::front::{Fault, Front, Service};
use super::super::message::{Asked, Reply};
use super::Proxy;

/// Says where things are, as it was told by the client and as it knows itself.
struct Places(String);

impl Service for Places {
    fn answer(&mut self, asked: &Asked) -> Reply {
        let own = self.0.clone();
        match asked.path().as_str() {
            "/told" => Reply::new(202, "").with("location", format!("{}/next", asked.base())),
            "/own" => Reply::new(302, "").with("location", format!("http://{own}/next")),
            _ => Reply::new(200, asked.body.clone()).with("x-method", asked.method.as_str()),
        }
    }

    fn stored(&self) -> Vec<String> {
        Vec::new()
    }
}

#[test]
fn a_registry_behind_the_proxy_seems_to_be_where_the_front_is() {
    let registry = Front::start(Places(String::new()));
    registry.service().0 = registry.authority();
    let front = Front::start(Proxy::to(&registry.url()));
    for path in ["/told", "/own"] {
        let reply = ask(&front.url(), "POST", path, &[], b"");
        let next = format!("{}/next", front.url());
        assert_eq!(reply.header("location"), Some(next.as_str()), "{path}");
    }
    let body: Vec<u8> = (0..1_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let reply = ask(
        &front.url(),
        "PUT",
        "/v2/a%2Fb?x=1",
        &[("x-token", "t")],
        &body,
    );
    assert_eq!((reply.status, reply.body.len()), (200, body.len()));
    assert_eq!(reply.header("x-method"), Some("PUT"));
    assert_eq!(registry.log().last().unwrap(), "PUT /v2/a%2Fb?x=1");
    assert!(registry.header_values().contains("t"));
    let head = ask(&front.url(), "HEAD", "/v2/", &[], b"");
    assert_eq!(head.header("content-length"), Some("0"));
    assert!(front.stored().is_empty());
}

#[test]
fn faults_are_played_before_and_after_the_registry_is_asked() {
    let registry = Front::start(Places(String::new()));
    let front = Front::start(Proxy::to(&registry.authority()));
    front.fail(None, "/x", Fault::Status(500, None), 1);
    assert_eq!(ask(&front.url(), "GET", "/x", &[], b"").status, 500);
    assert_eq!(registry.requests(), 0);
    front.fail(None, "/x", Fault::StatusAfter(502), 1);
    assert_eq!(ask(&front.url(), "GET", "/x", &[], b"").status, 502);
    assert_eq!(registry.requests(), 1);
    drop(registry);
    assert_eq!(ask(&front.url(), "GET", "/x", &[], b"").status, 502);
}
