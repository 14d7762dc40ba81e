//! What is asked of OSV's interface, and what its answers say. Pure.
//!
//! Source: <https://google.github.io/osv.dev/post-v1-querybatch/>. Results come in the order of
//! the queries; a result that goes on has a token of its own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::sync::is_id;
use crate::error::{Error, Result};
use crate::lockfile::Ecosystem;

/// The most queries in one request.
pub const BATCH: usize = 1000;

/// More pages than these for one package have no end.
const MOST_PAGES: u32 = 100;

/// The longest token that is sent back.
const LONGEST_TOKEN: usize = 16 << 10;

/// A locked package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Query {
    /// Whose package.
    pub ecosystem: Ecosystem,
    /// Its name in the normal form.
    pub name: String,
    /// Its version, as locked.
    pub version: String,
}

/// One page of a query's answer that is still to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The number of the query.
    pub query: usize,
    /// How many pages of it came before.
    pub number: u32,
    /// What the page before said.
    pub token: Option<String>,
}

/// What has been found: the state of every record by its id, and whose queries it answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found(pub BTreeMap<String, Hit>);

/// A record that the interface names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// When it was last changed, as the answer says.
    pub stamp: String,
    /// The queries that it answers.
    pub queries: BTreeSet<usize>,
}

/// The first pages of so many queries.
pub fn first_pages(queries: usize) -> Vec<Page> {
    let first = |query| Page {
        query,
        number: 0,
        token: None,
    };
    (0..queries).map(first).collect()
}

/// The text of a request for these pages.
pub fn request(queries: &[Query], pages: &[Page]) -> Vec<u8> {
    let asked = pages.iter().filter_map(|page| {
        let query = queries.get(page.query)?;
        let mut asked = json!({
            "package": { "name": query.name, "ecosystem": query.ecosystem.name() },
            "version": query.version,
        });
        if let (Some(token), Some(asked)) = (&page.token, asked.as_object_mut()) {
            asked.insert("page_token".to_owned(), json!(token));
        }
        Some(asked)
    });
    let asked: Vec<serde_json::Value> = asked.collect();
    json!({ "queries": asked }).to_string().into_bytes()
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    vulns: Vec<Named>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    modified: String,
}

impl Found {
    /// Takes in the answer to a request for `pages`, and gives the pages that follow. `place`
    /// names the answer in errors.
    ///
    /// # Errors
    /// It is no answer to this request: not JSON, too few or too many results, records without
    /// an id or a date, or pages without an end.
    pub fn take(&mut self, answer: &[u8], pages: &[Page], place: &str) -> Result<Vec<Page>> {
        let wrong = |what: String| {
            Error::database(format!("{place}: {what}"))
                .hint("nothing is known about the packages; run again, or without --live")
        };
        let answer: Answer = serde_json::from_slice(answer)
            .map_err(|cause| wrong(format!("no answer to the request: {cause}")))?;
        if answer.results.len() != pages.len() {
            return Err(wrong(format!(
                "{} results for {} queries",
                answer.results.len(),
                pages.len()
            )));
        }
        let mut next = Vec::new();
        for (page, outcome) in pages.iter().zip(answer.results) {
            for Named { id, modified } in outcome.vulns {
                if !is_id(&id) || modified.parse::<Timestamp>().is_err() {
                    return Err(wrong("a record without a sound id and date".to_owned()));
                }
                self.add(id, modified, page.query);
            }
            let token = outcome.next_page_token.filter(|token| !token.is_empty());
            let Some(token) = token else { continue };
            let number = page.number.saturating_add(1);
            if number >= MOST_PAGES || token.len() > LONGEST_TOKEN {
                return Err(wrong(format!(
                    "more than {MOST_PAGES} pages for one package"
                )));
            }
            next.push(Page {
                query: page.query,
                number,
                token: Some(token),
            });
        }
        Ok(next)
    }

    /// Between two pages a record may have been changed; its newest state counts.
    fn add(&mut self, id: String, stamp: String, query: usize) {
        let hit = self.0.entry(id).or_insert_with(|| Hit {
            stamp: stamp.clone(),
            queries: BTreeSet::new(),
        });
        hit.queries.insert(query);
        let time = |stamp: &str| stamp.parse::<Timestamp>().ok();
        if time(&hit.stamp) < time(&stamp) {
            hit.stamp = stamp;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn queries() -> Vec<Query> {
        let one = |ecosystem, name: &str, version: &str| Query {
            ecosystem,
            name: name.to_owned(),
            version: version.to_owned(),
        };
        vec![
            one(Ecosystem::Pypi, "a", "1.0"),
            one(Ecosystem::Npm, "@b/c", "2.0.0"),
        ]
    }

    #[test]
    fn a_request_asks_in_order_and_goes_on_where_a_page_ended() {
        let mut pages = first_pages(2);
        pages[1].token = Some("t".to_owned());
        let text = String::from_utf8(request(&queries(), &pages)).unwrap();
        let expected = concat!(
            r#"{"queries":[{"package":{"name":"a","ecosystem":"PyPI"},"version":"1.0"},"#,
            r#"{"package":{"name":"@b/c","ecosystem":"npm"},"version":"2.0.0","page_token":"t"}]}"#,
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn only_results_that_go_on_are_asked_for_again() {
        let mut found = Found::default();
        let answer = br#"{"results":[{},{"vulns":[{"id":"A-1","modified":"2026-01-01T00:00:00Z"}],
            "next_page_token":"t"}]}"#;
        let next = found.take(answer, &first_pages(2), "place").unwrap();
        let page = Page {
            query: 1,
            number: 1,
            token: Some("t".to_owned()),
        };
        assert_eq!(next, [page]);
        let answer = br#"{"results":[{"vulns":[{"id":"A-1","modified":"2026-01-02T00:00:00Z"},
            {"id":"A-2","modified":"2026-01-01T00:00:00Z"}],"next_page_token":""}]}"#;
        assert_eq!(found.take(answer, &next, "place").unwrap(), []);
        let stamps: Vec<_> = found
            .0
            .iter()
            .map(|(id, hit)| (&**id, &*hit.stamp))
            .collect();
        assert_eq!(
            stamps,
            [
                ("A-1", "2026-01-02T00:00:00Z"),
                ("A-2", "2026-01-01T00:00:00Z")
            ]
        );
        assert_eq!(found.0["A-1"].queries, BTreeSet::from([1]));
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let check = |answer: &str, expected: &str| {
            let taken = Found::default().take(answer.as_bytes(), &first_pages(1), "https://a");
            let error = taken.unwrap_err();
            assert!(error.message.starts_with("https://a: "), "{error}");
            assert!(error.message.contains(expected), "{error}");
            assert_eq!(error.kind, Kind::Database);
        };
        check("", "no answer");
        check("<html>", "no answer");
        check("{}", "no answer");
        check(r#"{"code":3,"message":"x"}"#, "no answer");
        check(r#"{"results":null}"#, "no answer");
        check(r#"{"results":[null]}"#, "no answer");
        check(r#"{"results":[]}"#, "0 results for 1 queries");
        check(r#"{"results":[{},{}]}"#, "2 results for 1 queries");
        check(r#"{"results":[{"vulns":[{}]}]}"#, "no answer");
        check(r#"{"results":[{}],"results":[{}]}"#, "no answer");
        let named = |id: &str, date: &str| {
            format!(r#"{{"results":[{{"vulns":[{{"id":"{id}","modified":"{date}"}}]}}]}}"#)
        };
        check(&named("../x", "2026-01-01T00:00:00Z"), "sound id");
        check(&named("", "2026-01-01T00:00:00Z"), "sound id");
        check(&named("A-1", "yesterday"), "sound id");
    }

    #[test]
    fn pages_end() {
        let mut pages = first_pages(1);
        let answer = br#"{"results":[{"next_page_token":"again"}]}"#;
        let mut rounds = 0;
        let error = loop {
            match Found::default().take(answer, &pages, "place") {
                Ok(next) => pages = next,
                Err(error) => break error,
            }
            rounds += 1;
        };
        assert_eq!(rounds, MOST_PAGES - 1);
        assert!(error.message.contains("more than 100 pages"), "{error}");
    }
}
