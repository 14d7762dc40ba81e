//! Clients that are slow, many, or ask too often.

use std::time::Duration;

use mcp_platform::api::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use super::stand::{PATIENCE, Settings, Stand};

async fn limited(limits: Limits) -> Stand {
    Stand::with(Settings {
        limits,
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn a_client_that_sends_its_headers_byte_by_byte_is_cut_off() {
    let stand = limited(Limits {
        header_time: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    // Once as the first request of a connection, once as a later one.
    for before in ["", "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        if !before.is_empty() {
            stream.write_all(before.as_bytes()).await.unwrap();
            assert!(read(&mut stream).await.unwrap().starts_with("HTTP/1.1 200"));
        }
        let head = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ".to_owned();
        let mut bytes = head.bytes().chain(std::iter::repeat(b'x'));
        let mut pace = interval(Duration::from_millis(20));
        let (mut reads, mut writes) = stream.split();
        let cut_off = async {
            let mut buffer = [0; 1024];
            loop {
                tokio::select! {
                    read = reads.read(&mut buffer) => match read {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    },
                    _ = pace.tick() => {
                        let byte = bytes.next().unwrap();
                        if writes.write_all(&[byte]).await.is_err() {
                            break;
                        }
                    }
                }
            }
        };
        timeout(PATIENCE, cut_off).await.expect("it is cut off");
    }
    // Others were served meanwhile, and are now.
    assert_eq!(stand.get("/health").await.0, 200);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_the_others_go_on() {
    let stand = limited(Limits {
        connections: 2,
        ..Limits::default()
    })
    .await;
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(ask(&stand).await.unwrap());
    }
    assert!(ask(&stand).await.is_none());
    for stream in &mut open {
        stream.write_all(REQUEST).await.unwrap();
        assert!(read(stream).await.unwrap().starts_with("HTTP/1.1 200"));
    }
    open.pop();
    let room = async { while ask(&stand).await.is_none() {} };
    timeout(PATIENCE, room).await.expect("there is room again");
}

const REQUEST: &[u8] = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/// A connection that was answered; none when it was closed instead.
async fn ask(stand: &Stand) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    stream.write_all(REQUEST).await.ok()?;
    let said = read(&mut stream).await?;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    Some(stream)
}

/// What comes first; none when it is closed.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = vec![0; 4096];
    let read = timeout(PATIENCE, stream.read(&mut bytes)).await;
    match read.expect("an answer or an end") {
        Ok(0) | Err(_) => None,
        Ok(count) => Some(String::from_utf8_lossy(&bytes[..count]).into_owned()),
    }
}

#[tokio::test]
async fn the_answer_to_a_probe_holds_for_a_moment() {
    let stand = limited(Limits {
        probe_holds: Duration::from_secs(3600),
        ..Limits::default()
    })
    .await;
    // The first call finds that it is away, and a second one would not.
    stand.faults("api-down:1");
    for _ in 0..3 {
        let (status, problem) = stand.get("/ready").await;
        assert_eq!(status, 503, "{problem}");
    }
    let (_, clusters) = stand.get("/api/clusters/").await;
    assert_eq!(clusters["clusters"][0]["reachable"], false);

    let stand = limited(Limits {
        probe_holds: Duration::ZERO,
        ..Limits::default()
    })
    .await;
    stand.faults("api-down:1");
    assert_eq!(stand.get("/ready").await.0, 503);
    assert_eq!(stand.get("/ready").await.0, 200);
}
