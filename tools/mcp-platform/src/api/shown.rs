//! Servers as JSON, made once for each answer of the back end: a list of thousands of which few
//! changed is put together from what is there. Nothing is shown that the back end would not answer
//! now, for the JSON goes with the answer itself: only who holds the same answer gets it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use crate::model::Observed;
use crate::service::Report;

use super::answers::Deployment;

/// Below so many answers it is not looked which of them are still in use.
const FEW: usize = 256;

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
    fn of(&mut self, report: &Report) -> Bytes {
        let place = Arc::as_ptr(&report.observed).addr();
        if let Some((_, json)) = self.json.get(&place) {
            return json.clone();
        }
        let json = Bytes::from(json(report));
        // Held by the report alone, it will not come again.
        if Arc::strong_count(&report.observed) > 1 {
            let held = (Arc::clone(&report.observed), json.clone());
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
    pub fn page(&self, page: &[&Report], count: usize, next: Option<&str>) -> Response {
        let servers: Vec<Bytes> = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let servers = page.iter().map(|report| kept.of(report)).collect();
            kept.sweep();
            servers
        };
        let size: usize = servers.iter().map(|one| one.len() + 1).sum();
        let mut body = Vec::with_capacity(size + 256);
        body.extend_from_slice(br#"{"deployments":["#);
        for (number, one) in servers.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            body.extend_from_slice(one);
        }
        let next = serde_json::to_string(&next).expect("a text is JSON");
        body.extend_from_slice(format!(r#"],"count":{count},"next":{next}}}"#).as_bytes());
        let kind = HeaderValue::from_static("application/json");
        ([(CONTENT_TYPE, kind)], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::answers::Several;
    use crate::backend::mock::{MockBackend, MockClock};
    use crate::backend::{Backend as _, Scope};
    use crate::model::{Identity, Name};

    async fn reports(backend: &MockBackend) -> Vec<Report> {
        let all = backend.list(&Scope::default()).await.unwrap();
        all.into_iter().map(Report::of).collect()
    }

    async fn body(shown: &Shown, reports: &[Report], next: Option<&str>) -> Vec<u8> {
        let page: Vec<&Report> = reports.iter().collect();
        let response = shown.page(&page, 7, next);
        let body = axum::body::to_bytes(response.into_body(), usize::MAX);
        body.await.unwrap().to_vec()
    }

    fn kept(shown: &Shown) -> usize {
        shown.0.lock().unwrap().json.len()
    }

    #[tokio::test]
    async fn a_page_is_what_its_type_says_before_and_after_a_change() {
        let backend = MockBackend::new(MockClock::manual(jiff::Timestamp::UNIX_EPOCH));
        for number in 0..3 {
            let identity = Identity {
                namespace: Name::label("team").unwrap(),
                name: Name::label(&format!("server-{number}")).unwrap(),
            };
            backend.plant_foreign(&identity, 2).unwrap();
        }
        let shown = Shown::default();
        let mut bodies = Vec::new();
        for step in 0..3 {
            let reports = reports(&backend).await;
            let next = (step == 1).then_some("/api/?after=a%20\"b\"");
            let expected = Several {
                deployments: reports.iter().map(Deployment::of).collect(),
                count: 7,
                next: next.map(str::to_owned),
            };
            let body = body(&shown, &reports, next).await;
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
        let held = reports(&backend).await;
        body(&shown, &held, None).await;
        assert_eq!(kept(&shown), FEW);
        drop(held);
        // Every answer of before is another now.
        backend.advance(std::time::Duration::from_secs(60)).unwrap();
        body(&shown, &reports(&backend).await, None).await;
        body(&shown, &reports(&backend).await, None).await;
        assert_eq!(kept(&shown), FEW, "the old ones went");
        let copies: Vec<Report> = reports(&backend).await;
        let alone = Shown::default();
        let copies: Vec<Report> = copies
            .iter()
            .map(|report| Report::of(report.observed.as_ref().clone()))
            .collect();
        body(&alone, &copies, None).await;
        assert_eq!(
            kept(&alone),
            0,
            "nobody will ask with the same answer again"
        );
    }
}
