//! What the echo server itself does when it is told to end.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::{SinkExt as _, StreamExt as _};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::clients::Client;
use super::{PATIENCE, TOKEN};

struct Echo {
    process: Child,
    lines: Lines<BufReader<ChildStderr>>,
    url: String,
}

impl Echo {
    async fn start(drain: &str, more: &[&str]) -> Echo {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
            .args(["echo", "--port", "0", "--drain", drain])
            .args(more)
            .env_clear()
            .env("MCP_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut echo = Echo {
            lines: BufReader::new(process.stderr.take().unwrap()).lines(),
            process,
            url: String::new(),
        };
        let line = echo.says("listens at").await;
        let (_, url) = line.split_once("listens at ").unwrap();
        echo.url = url.to_owned();
        echo
    }

    /// Waits for a line with these words.
    async fn says(&mut self, words: &str) -> String {
        let said = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                if line.contains(words) {
                    return line;
                }
            }
            panic!("it never said {words:?}");
        };
        tokio::time::timeout(PATIENCE, said).await.unwrap()
    }

    async fn terminate(&mut self) {
        let pid = i32::try_from(self.process.id().unwrap()).unwrap();
        kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
        self.says("takes no new sessions").await;
    }

    /// Its code, once it has ended.
    async fn code(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        ended.unwrap().unwrap().code()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_sessions_end_by_themselves_and_no_new_one_begins() {
    let mut echo = Echo::start("50", &[]).await;
    let client = Client::connect(&echo.url).await;
    echo.terminate().await;
    let begun = Instant::now();
    assert!(Client::try_connect(&echo.url, TOKEN).await.is_err());
    assert_eq!(client.echo("still").await, "hello, still");
    client.close().await;
    echo.says("ends with 0 sessions open").await;
    assert_eq!(echo.code().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_stay_are_closed_when_the_time_is_over() {
    let mut echo = Echo::start("1", &[]).await;
    let client = Client::connect(&echo.url).await;
    let begun = Instant::now();
    echo.terminate().await;
    echo.says("ends with 1 sessions open").await;
    assert_eq!(echo.code().await, Some(0));
    // The drain, and not much more: well within the ten seconds that its template gives it.
    assert!(begun.elapsed() < Duration::from_secs(8));
    let late = client.try_call("echo", serde_json::json!({ "text": "x" }));
    let late = tokio::time::timeout(PATIENCE, late).await;
    assert!(late.is_ok_and(|answer| answer.is_err()), "nobody answers");
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_are_closed_too() {
    let mut echo = Echo::start("1", &["--websocket"]).await;
    let url = echo.url.replace("http://", "ws://");
    let request = || {
        let mut request = url.as_str().into_client_request().unwrap();
        let headers = request.headers_mut();
        let bearer = format!("Bearer {TOKEN}").parse().unwrap();
        headers.insert("authorization", bearer);
        headers.insert("sec-websocket-protocol", "mcp".parse().unwrap());
        request
    };
    let (mut socket, _) = tokio_tungstenite::connect_async(request()).await.unwrap();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    socket.send(Message::text(ping)).await.unwrap();
    echo.terminate().await;
    assert!(tokio_tungstenite::connect_async(request()).await.is_err());
    echo.says("ends with").await;
    assert_eq!(echo.code().await, Some(0));
    let closed = async {
        while let Some(Ok(message)) = socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
}
