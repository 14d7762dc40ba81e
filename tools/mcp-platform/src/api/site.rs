//! One cluster as the REST face serves it: its operations, and what is counted, queued and watched
//! for it alone, so that one that is down does not hold up another.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;

use crate::error::{Kind, Result};
use crate::service::{Cluster, Service};

use super::changes::Lanes;
use super::live::Live;
use super::metrics::Metrics;
use super::probe::Probe;
use super::problem::Problem;
use super::shown::Shown;
use super::{Api, Limits};

/// A cluster with everything that is kept for it.
pub struct Site {
    /// Its name.
    pub name: String,
    /// Its operations.
    pub service: Service,
    /// The queues of its servers.
    pub lanes: Lanes,
    /// What its servers are doing.
    pub live: Arc<Live>,
    /// The JSON of its answers.
    pub shown: Shown,
    probe: Probe,
    metrics: Arc<Metrics>,
}

impl Site {
    /// A cluster that nobody has asked yet.
    pub fn new(cluster: &Cluster, limits: &Limits, metrics: &Arc<Metrics>) -> Site {
        Site {
            name: cluster.name.clone(),
            lanes: Lanes::default(),
            live: Arc::new(Live::new((cluster.service.random)())),
            shown: Shown::default(),
            probe: Probe::new(limits.probe_holds, limits.probe_time),
            metrics: Arc::clone(metrics),
            service: cluster.service.clone(),
        }
    }

    /// Counts the failures of the back end.
    pub fn counted<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.failed(error.kind);
        }
        result
    }

    /// Counts one failure, when it is one of the back end.
    pub fn failed(&self, kind: Kind) {
        self.metrics.failed(&self.name, kind);
    }

    /// Whether the back end can be used now.
    ///
    /// # Errors
    /// It cannot, and why.
    pub async fn reachable(&self) -> Result<()> {
        let backend = Arc::clone(&self.service.backend);
        let (metrics, name) = (Arc::clone(&self.metrics), self.name.clone());
        // An answer that is given twice is one failure.
        let count = move |answer: &Result<()>| {
            if let Err(error) = answer {
                metrics.failed(&name, error.kind);
            }
        };
        self.probe
            .ask(move || async move { backend.reachable().await }, count)
            .await
    }
}

impl Api {
    /// The cluster that the query of a request names, else the first.
    ///
    /// # Errors
    /// `NotFound`, with the names that there are.
    pub fn site_of(&self, uri: &Uri) -> Result<&Arc<Site>> {
        let query = uri.query().unwrap_or_default();
        let name = url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "cluster")
            .map(|(_, value)| value.into_owned());
        self.site(name.as_deref())
    }
}

/// The cluster that the query names, else the first.
pub struct At(pub Arc<Site>);

impl FromRequestParts<Arc<Api>> for At {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<Api>,
    ) -> std::result::Result<At, Problem> {
        Ok(At(Arc::clone(api.site_of(&parts.uri)?)))
    }
}
