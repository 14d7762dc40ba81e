//! What is counted, in the text format of Prometheus (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::Kind;

/// Upper bounds of the buckets of requests, seconds.
const REQUEST_BOUNDS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

/// Upper bounds of the buckets of operations, seconds.
const OPERATION_BOUNDS: [f64; 9] = [0.05, 0.25, 1.0, 5.0, 15.0, 30.0, 60.0, 150.0, 300.0];

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<(String, String, u16), u64>,
    request_seconds: BTreeMap<String, Histogram>,
    operations: BTreeMap<(String, &'static str, String), u64>,
    operation_seconds: BTreeMap<(String, &'static str), Histogram>,
    errors: BTreeMap<(String, &'static str), u64>,
    audit_failures: u64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; 9],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, bounds: &[f64; 9], took: Duration) {
        let seconds = took.as_secs_f64();
        for (bucket, bound) in self.buckets.iter_mut().zip(bounds) {
            if seconds <= *bound {
                *bucket += 1;
            }
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn write(&self, text: &mut String, name: &str, label: &str, bounds: &[f64; 9]) {
        for (bucket, bound) in self.buckets.iter().zip(bounds) {
            let _ = writeln!(text, "{name}_bucket{{{label},le=\"{bound}\"}} {bucket}");
        }
        let _ = writeln!(text, "{name}_bucket{{{label},le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(text, "{name}_sum{{{label}}} {}", self.sum);
        let _ = writeln!(text, "{name}_count{{{label}}} {}", self.count);
    }
}

/// How many servers are in which state and namespace.
pub type Servers = BTreeMap<(&'static str, String), u64>;

/// What the back ends answered when the page was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Of each cluster its servers by state and namespace; none when it did not answer.
    pub clusters: Vec<(String, Option<Servers>)>,
    /// Operations under way.
    pub running: usize,
    /// Open streams.
    pub streams: usize,
}

impl Metrics {
    fn with(&self, edit: impl FnOnce(&mut Counts)) {
        edit(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A request was answered. `route` is the pattern, never the path: there are few of them.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.with(|counts| {
            *counts
                .requests
                .entry((method.to_owned(), route.to_owned(), status))
                .or_default() += 1;
            counts
                .request_seconds
                .entry(route.to_owned())
                .or_default()
                .add(&REQUEST_BOUNDS, took);
        });
    }

    /// An operation came to its end.
    pub fn operation(&self, cluster: &str, operation: &'static str, outcome: &str, took: Duration) {
        self.with(|counts| {
            *counts
                .operations
                .entry((cluster.to_owned(), operation, outcome.to_owned()))
                .or_default() += 1;
            counts
                .operation_seconds
                .entry((cluster.to_owned(), operation))
                .or_default()
                .add(&OPERATION_BOUNDS, took);
        });
    }

    /// The back end failed: it could not be reached, was too slow, or said what nobody understands.
    pub fn failed(&self, cluster: &str, kind: Kind) {
        if matches!(
            kind,
            Kind::Unavailable | Kind::Timeout | Kind::Failed | Kind::Precondition | Kind::Internal
        ) {
            let key = (cluster.to_owned(), super::problem::of(kind).1);
            self.with(|counts| *counts.errors.entry(key).or_default() += 1);
        }
    }

    /// The outcome of a change could not be recorded.
    pub fn audit_failed(&self) {
        self.with(|counts| counts.audit_failures += 1);
    }

    /// The page.
    pub fn text(&self, present: &Present) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        servers(&mut text, present);
        head(
            &mut text,
            "mcp_platform_operations_total",
            "counter",
            "Operations by outcome.",
        );
        for ((cluster, operation, outcome), count) in &counts.operations {
            let cluster = value(cluster);
            let _ = writeln!(
                text,
                "mcp_platform_operations_total{{cluster=\"{cluster}\",operation=\"{operation}\",outcome=\"{outcome}\"}} {count}"
            );
        }
        let name = "mcp_platform_operation_duration_seconds";
        head(
            &mut text,
            name,
            "histogram",
            "How long operations took, waiting included.",
        );
        for ((cluster, operation), histogram) in &counts.operation_seconds {
            let cluster = value(cluster);
            let label = format!("cluster=\"{cluster}\",operation=\"{operation}\"");
            histogram.write(&mut text, name, &label, &OPERATION_BOUNDS);
        }
        head(
            &mut text,
            "mcp_platform_http_requests_total",
            "counter",
            "Requests by answer.",
        );
        for ((method, route, status), count) in &counts.requests {
            let _ = writeln!(
                text,
                "mcp_platform_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}"
            );
        }
        let name = "mcp_platform_http_request_duration_seconds";
        head(
            &mut text,
            name,
            "histogram",
            "How long until an answer began.",
        );
        for (route, histogram) in &counts.request_seconds {
            let label = format!("route=\"{route}\"");
            histogram.write(&mut text, name, &label, &REQUEST_BOUNDS);
        }
        head(
            &mut text,
            "mcp_platform_backend_errors_total",
            "counter",
            "Failures of the back end by kind.",
        );
        for ((cluster, kind), count) in &counts.errors {
            let cluster = value(cluster);
            let _ = writeln!(
                text,
                "mcp_platform_backend_errors_total{{cluster=\"{cluster}\",kind=\"{kind}\"}} {count}"
            );
        }
        head(
            &mut text,
            "mcp_platform_audit_failures_total",
            "counter",
            "Outcomes of changes that could not be recorded.",
        );
        let _ = writeln!(
            text,
            "mcp_platform_audit_failures_total {}",
            counts.audit_failures
        );
        text
    }
}

fn servers(text: &mut String, present: &Present) {
    head(
        text,
        "mcp_platform_backend_up",
        "gauge",
        "Whether the back end answers.",
    );
    for (cluster, servers) in &present.clusters {
        let (cluster, up) = (value(cluster), u8::from(servers.is_some()));
        let _ = writeln!(
            text,
            "mcp_platform_backend_up{{cluster=\"{cluster}\"}} {up}"
        );
    }
    head(
        text,
        "mcp_platform_servers",
        "gauge",
        "Servers by cluster, namespace and state.",
    );
    for (cluster, servers) in &present.clusters {
        let cluster = value(cluster);
        for ((state, namespace), count) in servers.iter().flatten() {
            let _ = writeln!(
                text,
                "mcp_platform_servers{{cluster=\"{cluster}\",namespace=\"{namespace}\",state=\"{state}\"}} {count}"
            );
        }
    }
    head(
        text,
        "mcp_platform_operations_running",
        "gauge",
        "Operations under way.",
    );
    let _ = writeln!(text, "mcp_platform_operations_running {}", present.running);
    head(
        text,
        "mcp_platform_streams",
        "gauge",
        "Open streams of logs and events.",
    );
    let _ = writeln!(text, "mcp_platform_streams {}", present.streams);
}

/// A value between quotes: whoever writes a kubeconfig names its contexts.
fn value(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}");
    let _ = writeln!(text, "# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_counts() {
        let metrics = Metrics::default();
        metrics.request("GET", "/api/templates/", 200, Duration::from_millis(2));
        metrics.operation("a\"b", "deploy", "done", Duration::from_secs(2));
        metrics.failed("here", Kind::Unavailable);
        metrics.failed("here", Kind::Conflict);
        let text = metrics.text(&Present {
            clusters: vec![
                (
                    "here".to_owned(),
                    Some(BTreeMap::from([(("running", "a".to_owned()), 3)])),
                ),
                ("there".to_owned(), None),
            ],
            running: 1,
            streams: 0,
        });
        for line in [
            "mcp_platform_backend_up{cluster=\"here\"} 1",
            "mcp_platform_backend_up{cluster=\"there\"} 0",
            "mcp_platform_servers{cluster=\"here\",namespace=\"a\",state=\"running\"} 3",
            "mcp_platform_operations_total{cluster=\"a\\\"b\",operation=\"deploy\",outcome=\"done\"} 1",
            "mcp_platform_operation_duration_seconds_bucket{cluster=\"a\\\"b\",operation=\"deploy\",le=\"5\"} 1",
            "mcp_platform_operation_duration_seconds_bucket{cluster=\"a\\\"b\",operation=\"deploy\",le=\"1\"} 0",
            "mcp_platform_http_requests_total{method=\"GET\",route=\"/api/templates/\",status=\"200\"} 1",
            "mcp_platform_backend_errors_total{cluster=\"here\",kind=\"unavailable\"} 1",
        ] {
            assert!(text.lines().any(|each| each == line), "{line}\n{text}");
        }
        assert!(!text.contains("conflict"));
    }
}
