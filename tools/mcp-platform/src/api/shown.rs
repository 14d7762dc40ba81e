//! Servers as JSON, made once for each answer of the back end: a list of thousands of which few
//! changed is put together from what is there. Nothing is shown that the back end would not answer
//! now, for the JSON goes with the answer itself: only who holds the same answer gets it.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures::stream;

use crate::model::Observed;
use crate::service::Report;

use super::answers::Deployment;

/// Below so many answers it is not looked which of them are still in use.
const FEW: usize = 256;

/// Bytes that are handed on at a time: few calls, and buffers that an allocator gives from what it has.
const PIECE: usize = 64 * 1024;

/// The JSON of answers that a back end holds, by where the answer lies in memory.
#[derive(Default)]
pub struct Shown(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    // Holding the answer keeps its place from being used by another.
    json: HashMap<usize, (Arc<Observed>, Bytes)>,
    sweep_at: usize,
}

impl Kept {
    fn of(&mut self, observed: &Arc<Observed>) -> Bytes {
        let place = Arc::as_ptr(observed).addr();
        if let Some((_, json)) = self.json.get(&place) {
            return json.clone();
        }
        // Held by the asker alone, it will not come again.
        let held = Arc::strong_count(observed) > 1;
        let json = Bytes::from(json(&Report::of(Arc::clone(observed))));
        if held {
            let held = (Arc::clone(observed), json.clone());
            self.json.insert(place, held);
        }
        json
    }

    /// Lets go of answers that nobody else holds any more.
    fn sweep(&mut self) {
        if self.json.len() >= self.sweep_at.max(FEW) {
            self.json
                .retain(|_, (observed, _)| Arc::strong_count(observed) > 1);
            self.sweep_at = self.json.len() * 2;
        }
    }
}

fn json(report: &Report) -> Vec<u8> {
    serde_json::to_vec(&Deployment::of(report))
        .expect("it has text keys and no value that JSON cannot hold")
}

impl Shown {
    /// A page of servers, written as [`super::answers::Several`].
    pub fn page(&self, page: &[&Arc<Observed>], count: usize, next: Option<&str>) -> Response {
        let servers: Vec<Bytes> = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let servers = page.iter().map(|observed| kept.of(observed)).collect();
            kept.sweep();
            servers
        };
        let next = serde_json::to_string(&next).expect("a text is JSON");
        let end = format!(r#"],"count":{count},"next":{next}}}"#);
        let begin = Bytes::from_static(br#"{"deployments":["#);
        let comma = Bytes::from_static(b",");
        let commas = servers.len().saturating_sub(1);
        let size = servers.iter().map(Bytes::len).sum::<usize>() + commas + begin.len() + end.len();
        let servers = servers.into_iter().enumerate().flat_map(move |(at, one)| {
            let before = (at > 0).then(|| comma.clone());
            before.into_iter().chain([one])
        });
        let parts = std::iter::once(begin)
            .chain(servers)
            .chain([Bytes::from(end)]);
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CONTENT_LENGTH, HeaderValue::from(size)),
        ];
        (headers, Body::from_stream(stream::iter(pieces(parts)))).into_response()
    }
}

/// The parts, joined to pieces as they are asked for.
fn pieces(
    mut parts: impl Iterator<Item = Bytes>,
) -> impl Iterator<Item = Result<Bytes, Infallible>> {
    std::iter::from_fn(move || {
        let first = parts.next()?;
        let mut piece = Vec::with_capacity(PIECE);
        piece.extend_from_slice(&first);
        while piece.len() < PIECE
            && let Some(part) = parts.next()
        {
            piece.extend_from_slice(&part);
        }
        Some(Ok(Bytes::from(piece)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answers::Several;
    use crate::backend::mock::{MockBackend, MockClock};
    use crate::backend::{Backend as _, Scope};
    use crate::model::{Identity, Name};

    async fn answers(backend: &MockBackend) -> Vec<Arc<Observed>> {
        backend.list(&Scope::default()).await.unwrap()
    }

    async fn body(shown: &Shown, answers: &[Arc<Observed>], next: Option<&str>) -> Vec<u8> {
        let page: Vec<&Arc<Observed>> = answers.iter().collect();
        let response = shown.page(&page, 7, next);
        let length = response.headers()[CONTENT_LENGTH].to_str().unwrap();
        let length: usize = length.parse().unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX);
        let body = body.await.unwrap().to_vec();
        assert_eq!(body.len(), length);
        body
    }

    fn kept(shown: &Shown) -> usize {
        shown.0.lock().unwrap().json.len()
    }

    #[tokio::test]
    async fn a_page_is_what_its_type_says_before_and_after_a_change() {
        let backend = MockBackend::new(MockClock::manual(jiff::Timestamp::UNIX_EPOCH));
        for number in 0..200 {
            let identity = Identity {
                namespace: Name::label("team").unwrap(),
                name: Name::label(&format!("server-{number}")).unwrap(),
            };
            backend.plant_foreign(&identity, 2).unwrap();
        }
        let shown = Shown::default();
        let mut bodies = Vec::new();
        for step in 0..3 {
            let answers = answers(&backend).await;
            let next = (step == 1).then_some("/api/?after=a%20\"b\"");
            let expected = Several {
                deployments: answers
                    .iter()
                    .map(|one| Deployment::of(&Report::of(Arc::clone(one))))
                    .collect(),
                count: 7,
                next: next.map(str::to_owned),
            };
            let body = body(&shown, &answers, next).await;
            assert_eq!(body, serde_json::to_vec(&expected).unwrap());
            bodies.push(body);
            backend.advance(std::time::Duration::from_secs(60)).unwrap();
        }
        assert_ne!(bodies[0], bodies[2], "the instances became ready");
        let none = body(&shown, &[], None).await;
        assert_eq!(none, br#"{"deployments":[],"count":7,"next":null}"#);
    }

    #[tokio::test]
    async fn only_answers_that_are_held_are_kept() {
        let backend = MockBackend::new(MockClock::manual(jiff::Timestamp::UNIX_EPOCH));
        for number in 0..FEW {
            let identity = Identity {
                namespace: Name::label("team").unwrap(),
                name: Name::label(&format!("server-{number}")).unwrap(),
            };
            backend.plant_foreign(&identity, 1).unwrap();
        }
        let shown = Shown::default();
        let held = answers(&backend).await;
        body(&shown, &held, None).await;
        assert_eq!(kept(&shown), FEW);
        drop(held);
        // Every answer of before is another now.
        backend.advance(std::time::Duration::from_secs(60)).unwrap();
        body(&shown, &answers(&backend).await, None).await;
        body(&shown, &answers(&backend).await, None).await;
        assert_eq!(kept(&shown), FEW, "the old ones went");
        let copies = answers(&backend).await;
        let alone = Shown::default();
        let copies: Vec<Arc<Observed>> = copies
            .iter()
            .map(|one| Arc::new(one.as_ref().clone()))
            .collect();
        body(&alone, &copies, None).await;
        assert_eq!(
            kept(&alone),
            0,
            "nobody will ask with the same answer again"
        );
    }
}
