//! The services of one or several clusters, by name. The first is meant when none is named.

use std::sync::Arc;

use crate::backend::Kind;
use crate::error::{Error, Result};

use super::Service;

/// How much of a name that nobody knows is repeated.
const SHOWN: usize = 60;

/// A place where servers run, with its operations.
#[derive(Clone)]
pub struct Cluster {
    /// Its name; the kind of the back end where there is only one.
    pub name: String,
    /// The operations there.
    pub service: Service,
}

/// At least one of them.
#[derive(Clone)]
pub struct Clusters(Arc<[Cluster]>);

impl Clusters {
    /// The first, which is meant when none is named, and the others.
    pub fn new(first: Cluster, others: Vec<Cluster>) -> Clusters {
        Clusters([vec![first], others].concat().into())
    }

    /// All of them.
    pub fn all(&self) -> &[Cluster] {
        &self.0
    }

    /// The one that is meant when none is named.
    pub fn first(&self) -> &Cluster {
        &self.0[0]
    }

    /// The one of a name; without a name, the first.
    ///
    /// # Errors
    /// `NotFound`, with the names that there are.
    pub fn find(&self, name: Option<&str>) -> Result<&Cluster> {
        Ok(&self.0[self.place(name)?])
    }

    /// Where the one of a name is among all; without a name, the first.
    ///
    /// # Errors
    /// `NotFound`, with the names that there are.
    pub fn place(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else {
            return Ok(0);
        };
        self.0
            .iter()
            .position(|cluster| cluster.name == name)
            .ok_or_else(|| {
                let shown: String = name.chars().take(SHOWN).collect();
                let known: Vec<&str> = self.0.iter().map(|each| each.name.as_str()).collect();
                let known = known.join(", ");
                let message = format!("there is no cluster {shown:?} here, only {known}");
                let error = Error::not_found(message).hint(format!("choose one of {known}"));
                match self.0[0].service.backend.kind() {
                    Kind::Process | Kind::Docker => error,
                    Kind::Kubernetes | Kind::Mock => error.hint(
                        "or start the platform with --cluster NAME for each that it shall serve",
                    ),
                }
            })
    }
}
