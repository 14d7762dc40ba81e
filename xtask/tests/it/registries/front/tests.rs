//! The front before a service that counts and echoes.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::super::client::{ask, try_ask};
use super::super::message::{Asked, Reply, read_reply};
use super::{Fault, Front, Service};

const LONG: Duration = Duration::from_secs(60);

/// Stores each body under its path, and gives it back.
#[derive(Default)]
struct Echo(Vec<String>);

impl Service for Echo {
    fn answer(&mut self, asked: &Asked) -> Reply {
        self.0.push(asked.path());
        Reply::new(201, asked.body.clone()).with("x-segments", asked.segments().join("|"))
    }

    fn stored(&self) -> Vec<String> {
        self.0.clone()
    }
}

#[test]
fn requests_of_every_framing_are_read() {
    let front = Front::start(Echo::default());
    let raw = |request: &str| {
        let mut stream = TcpStream::connect(front.authority()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    };
    let chunked = "PUT /a%2Fb/c%20d?q=1%2B2 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
    let text = raw(chunked);
    assert!(
        text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 "),
        "{text}"
    );
    assert!(text.ends_with("\r\n\r\nabc0123456789"), "{text}");
    assert!(text.contains("connection: close\r\n"), "{text}");
    assert!(text.contains("x-segments: a/b|c d\r\n"), "{text}");
    assert_eq!(front.asked()[0].query("q").as_deref(), Some("1+2"));
    let text = raw("HEAD /h HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    assert!(
        text.ends_with("content-length: 4\r\nx-segments: h\r\n\r\n"),
        "{text}"
    );
    let body = vec![7; 20 << 20];
    let reply = ask(
        &front.url(),
        "POST",
        "/big",
        &[("X-Token", "se cret")],
        &body,
    );
    assert!(reply.body == body);
    assert_eq!(front.stored(), ["/a/b/c d", "/h", "/big"]);
    assert_eq!(front.log()[2], "POST /big");
    assert_eq!((front.requests(), front.count("PUT", "/a%2F")), (3, 1));
    assert!(front.header_values().contains("se cret"));
    assert!(front.has_seen("se cret") && front.has_seen("0123456789") && !front.has_seen("nope"));
    front.forget();
    assert_eq!(front.requests(), 0);
}

#[test]
fn faults_before_the_service_leave_nothing_behind() {
    let front = Front::start(Echo::default());
    let after = Some("7".to_owned());
    front.fail(Some("PUT"), "/x y", Fault::Status(429, after), 1);
    front.fail(None, "/x", Fault::CutBefore, 1);
    let put = |path| try_ask(&front.url(), "PUT", path, &[], b"body");
    assert_eq!(put("/other").unwrap().status, 201);
    let reply = put("/x%20y").unwrap();
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("7"))
    );
    put("/x%20y").unwrap_err();
    assert_eq!(front.stored(), ["/other"]);
    assert_eq!(put("/x%20y").unwrap().status, 201);
    front.fail(None, "/", Fault::CutBefore, usize::MAX);
    front.heal();
    assert_eq!(put("/y").unwrap().status, 201);
}

#[test]
fn faults_after_the_service_leave_what_was_done() {
    let front = Front::start(Echo::default());
    let put = |path| try_ask(&front.url(), "PUT", path, &[], b"0123456789");
    front.fail(None, "/1", Fault::StatusAfter(502), 1);
    front.fail(None, "/2", Fault::CutAfter, 1);
    front.fail(None, "/3", Fault::CutBody(4), 1);
    front.fail(None, "/4", Fault::WrongBytes, 1);
    front.fail(None, "/5", Fault::Latency(Duration::from_millis(1)), 1);
    assert_eq!(put("/1").unwrap().status, 502);
    put("/2").unwrap_err();
    put("/3").unwrap_err();
    let wrong = put("/4").unwrap().body;
    assert_eq!(wrong.len(), 10);
    assert_ne!(wrong, b"0123456789");
    assert_eq!(put("/5").unwrap().status, 201);
    assert_eq!(front.stored(), ["/1", "/2", "/3", "/4", "/5"]);
}

#[test]
fn a_held_request_is_done_and_not_answered() {
    let front = Front::start(Echo::default());
    front.hold_at(1);
    assert_eq!(ask(&front.url(), "PUT", "/0", &[], b"").status, 201);
    assert!(!front.held(Duration::ZERO));
    let base = front.url();
    let client = std::thread::spawn(move || try_ask(&base, "PUT", "/1", &[], b""));
    assert!(front.held(LONG));
    assert_eq!(front.stored(), ["/0", "/1"]);
    // Others are answered meanwhile.
    assert_eq!(ask(&front.url(), "PUT", "/2", &[], b"").status, 201);
    front.release();
    assert!(!front.held(Duration::ZERO));
    client.join().unwrap().unwrap_err();
    assert_eq!(ask(&front.url(), "PUT", "/3", &[], b"").status, 201);
    // A client that ends before its request is reached is no reason to wait.
    front.hold_at(1);
    assert!(!front.held_unless(|| true));
}

#[test]
fn a_front_that_ends_lets_go_of_what_it_holds() {
    let front = Front::start(Echo::default());
    front.fail(Some("GET"), "/held", Fault::Hold, 1);
    let mut stream = TcpStream::connect(front.authority()).unwrap();
    stream.write_all(b"GET /held HTTP/1.1\r\n\r\n").unwrap();
    assert!(front.held_unless(|| false));
    let shared = front.shared();
    drop(front);
    read_reply(&mut BufReader::new(stream), "GET").unwrap_err();
    assert_eq!(shared.lock().unwrap().stored(), ["/held"]);
}
