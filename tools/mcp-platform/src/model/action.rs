//! What is to be done, as data that can be printed.

use serde::Serialize;

use super::Spec;

/// What a caller asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// This specification runs, with the number of instances that it names.
    Deploy(Box<Spec>),
    /// What is there changes to this specification; what is stopped stays stopped.
    Update(Box<Spec>),
    /// It runs with as many instances as `stop` found.
    Start,
    /// No instance runs; it can be started again.
    Stop,
    /// The present instances end at once, without grace, and none is started.
    ForceStop,
    /// This many instances run.
    Scale(u32),
    /// Every instance is replaced by a new one of the same revision.
    Restart,
    /// Nothing is left.
    Delete,
}

/// What happens to the remembered number of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remember {
    /// It stays as it is.
    Keep,
    /// It is set.
    Set(u32),
    /// It is forgotten.
    Forget,
}

/// One change of the world. Every back end performs each so that doing it twice does no more than
/// doing it once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Create the server or change it to this specification.
    Apply {
        /// What is wanted.
        spec: Box<Spec>,
        /// How many instances from now on; 0 for one that is stopped.
        replicas: u32,
        /// What `start` shall find.
        remember: Remember,
        /// What to go back to when it does not get ready; kept by the back end.
        #[serde(skip)]
        previous: Option<Box<Spec>>,
        /// The token of what was observed; none: it did not exist.
        #[serde(skip)]
        expected: Option<String>,
    },
    /// Set the number of instances, by the scale subresource where there is one.
    Scale {
        /// How many there were wanted.
        from: u32,
        /// How many are wanted now.
        to: u32,
        /// What `start` shall find.
        remember: Remember,
    },
    /// Take no new sessions.
    Cordon,
    /// Wait until the present sessions have ended, at most so many seconds. The service does this
    /// itself; no back end is asked.
    Drain {
        /// The deadline.
        seconds: u32,
    },
    /// Take new sessions again.
    Uncordon,
    /// Replace every instance.
    Restart,
    /// End the present instances without grace; touches nothing in what is wanted.
    Kill,
    /// Remove everything that carries the server's labels.
    Remove,
}

impl Action {
    /// One line for people.
    pub fn line(&self) -> String {
        match self {
            Action::Apply {
                spec,
                replicas,
                expected,
                ..
            } => {
                let verb = if expected.is_some() {
                    "change to"
                } else {
                    "create"
                };
                // Without a source it was not looked for: this back end runs no images.
                let image = match (&spec.run.image, &spec.provenance.image_source) {
                    (Some(image), Some(_)) => format!(", image {image}"),
                    _ => String::new(),
                };
                format!(
                    "{verb} revision {}, {replicas} wanted{image}",
                    spec.revision()
                )
            }
            Action::Scale { from, to, .. } => format!("scale from {from} to {to}"),
            Action::Cordon => "take no new sessions".to_owned(),
            Action::Drain { seconds } => format!("wait up to {seconds} s for sessions to end"),
            Action::Uncordon => "take new sessions".to_owned(),
            Action::Restart => "replace every instance".to_owned(),
            Action::Kill => "end the instances without grace".to_owned(),
            Action::Remove => "remove everything of it".to_owned(),
        }
    }
}
