//! Streams: what servers write, what happens to one, what all are doing.

use mcp_platform::api::Limits;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::stand::{PATIENCE, Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";
const EVENTS: &str = "/api/templates/deployments/events/";

/// One event of a stream.
#[derive(Debug)]
struct Sent {
    name: String,
    id: String,
    data: Value,
}

struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(stand: &Stand, path: &str, after: Option<&str>) -> Stream {
        let mut request = stand
            .ask(Method::GET, path)
            .header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Stream {
            response,
            text: String::new(),
        }
    }

    /// The next event; comments are passed over.
    async fn next(&mut self) -> Sent {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    block
                        .lines()
                        .find_map(|line| line.strip_prefix(name))
                        .map(|value| value.trim_start_matches(": ").to_owned())
                };
                if let Some(data) = field("data") {
                    return Sent {
                        name: field("event").unwrap_or_default(),
                        id: field("id").unwrap_or_default(),
                        data: serde_json::from_str(&data).unwrap(),
                    };
                }
            }
            let piece = tokio::time::timeout(PATIENCE, self.response.chunk());
            let piece = piece.await.expect("an event").unwrap().expect("no end");
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next event of which something is true.
    async fn until(&mut self, is: impl Fn(&Sent) -> bool) -> Sent {
        loop {
            let sent = self.next().await;
            if is(&sent) {
                return sent;
            }
        }
    }
}

#[tokio::test]
async fn all_servers_are_followed_and_missed_changes_are_told() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let mut stream = Stream::open(&stand, EVENTS, None).await;
    let first = stream.next().await;
    assert_eq!(first.name, "snapshot");
    assert_eq!(first.data["deployments"][0]["name"], "one");
    assert!(first.data["deployments"][0].get("spec").is_none());
    let scale = json!({"replicas": 2});
    stand.post(&format!("{ALL}one/scale/"), &scale).await;
    let two = |sent: &Sent| sent.name == "deployment" && sent.data["ready_replicas"] == 2;
    let seen = stream.until(two).await;
    // Somebody else keeps the watch going while this one is away.
    let other = Stream::open(&stand, EVENTS, None).await;
    drop(stream);
    stand.delete(&format!("{ALL}one/delete/")).await;
    let mut again = Stream::open(&stand, EVENTS, Some(&seen.id)).await;
    let missed = again.until(|sent| sent.name != "deployment").await;
    assert_eq!(missed.name, "gone");
    assert_eq!(missed.data["name"], "one");
    // A number of another run means nothing.
    let mut stranger = Stream::open(&stand, EVENTS, Some("other-3")).await;
    assert_eq!(stranger.next().await.name, "snapshot");
    drop(other);
}

#[tokio::test]
async fn a_filter_says_gone_for_what_it_lets_through_no_more() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let path = format!("{EVENTS}?status=running");
    let mut stream = Stream::open(&stand, &path, None).await;
    assert_eq!(stream.next().await.name, "snapshot");
    stand.post(&format!("{ALL}one/stop/"), &json!({})).await;
    assert_eq!(
        stream.until(|sent| sent.name == "gone").await.data["name"],
        "one"
    );
}

#[tokio::test]
async fn a_back_end_that_goes_away_and_comes_back_is_told() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let mut stream = Stream::open(&stand, EVENTS, None).await;
    assert_eq!(stream.next().await.name, "snapshot");
    stand.faults("api-down");
    let problem = stream.until(|sent| sent.name == "problem").await;
    assert_eq!(problem.data["status"], 503);
    stand.faults("");
    let anew = stream.until(|sent| sent.name == "snapshot").await;
    assert_eq!(anew.data["deployments"][0]["name"], "one");
    stand.faults("api-down");
    stream.until(|sent| sent.name == "problem").await;
    assert_eq!(answer(stand.ask(Method::GET, EVENTS)).await.0, 503);
}

#[tokio::test]
async fn events_of_one_are_a_list_or_a_stream() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let path = format!("{ALL}one/events/");
    let (status, list) = stand.get(&path).await;
    assert_eq!(status, 200);
    assert!(!list["events"].as_array().unwrap().is_empty(), "{list}");
    let mut stream = Stream::open(&stand, &path, None).await;
    let first = stream.next().await;
    assert_eq!(first.name, "event");
    assert_eq!(first.data, list["events"][0]);
    assert_eq!(stand.get(&format!("{ALL}none/events/")).await.0, 404);
}

#[tokio::test]
async fn lines_are_json_or_text() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let path = format!("{ALL}one/logs/");
    let answer_ = stand.ask(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer_.headers()["content-type"], "application/x-ndjson");
    let text = answer_.text().await.unwrap();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["instance"].is_string() && line["text"].is_string());
    }
    let plain = stand.ask(Method::GET, &path).header("accept", "text/plain");
    let plain = plain.send().await.unwrap();
    let kind = plain.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain"));
    let (status, _) = stand.get(&format!("{ALL}none/logs/")).await;
    assert_eq!(status, 404);
    let (status, _) = stand.get(&format!("{path}?instance=none")).await;
    assert_eq!(status, 404);
    let (status, _) = stand.get(&format!("{path}?tail=x")).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn streams_are_counted_and_limited() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let stand = Stand::with(settings).await;
    let mut stream = Stream::open(&stand, EVENTS, None).await;
    stream.next().await;
    assert_eq!(answer(stand.ask(Method::GET, EVENTS)).await.0, 503);
    let (_, text) = stand.get("/metrics").await;
    assert!(text.as_str().unwrap().contains("mcp_platform_streams 1"));
}
