//! Whether the cluster's names resolve where we are. Outside of the cluster they do not, and that
//! is as it should be. The name that is asked for is `kubernetes.default`: that Service exists in
//! no other namespace.

use std::time::Duration;

use crate::backend::kubernetes::Side;

use super::check::{Check, Finding};

const LIMIT: Duration = Duration::from_secs(5);

/// Asks for the API server's name.
pub async fn names(side: Side, suffix: &str) -> Check {
    let name = format!("kubernetes.default.{suffix}");
    let answer = tokio::time::timeout(LIMIT, tokio::net::lookup_host((name.as_str(), 443))).await;
    let addresses: Vec<String> = match answer {
        Ok(Ok(addresses)) => addresses.map(|address| address.ip().to_string()).collect(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let (finding, message) = match (side, addresses.is_empty()) {
        (Side::Inside, false) => (Finding::Good, format!("{name} is {}", addresses.join(", "))),
        (Side::Inside, true) => (
            Finding::Bad,
            format!(
                "{name} does not resolve in this pod: check its dnsPolicy, the NetworkPolicy for port 53 (UDP and TCP) and K8S_DNS_SUFFIX"
            ),
        ),
        (Side::Outside, true) => (
            Finding::Good,
            format!(
                "{name} does not resolve here, as expected outside the cluster; servers are reached through forwarded ports"
            ),
        ),
        (Side::Outside, false) => (
            Finding::Good,
            format!(
                "{name} is {} although we are outside the cluster: a VPN or a proxy resolves its names",
                addresses.join(", ")
            ),
        ),
    };
    Check::new("names", finding, message)
}
