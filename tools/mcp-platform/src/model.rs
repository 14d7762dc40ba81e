//! The values that everything else speaks in: what is wanted, what is there, what it means, what
//! to do. Imports nothing of ours but [`crate::error`], and touches nothing.

mod action;
mod image;
pub mod label;
mod name;
mod observed;
mod secret;
mod spec;

pub use action::{Action, Goal, Remember};
pub use image::ImageReference;
pub use name::{Identity, NAME_LIMIT, Name};
pub use observed::{
    Cause, Change, Condition, Endpoint, EndpointKind, Event, Fault, Instance, LogLine, Observed,
    Phase, State, Status,
};
pub use secret::{Secret, Secrets};
pub use spec::{
    Companion, Exposure, Peer, PeerPlace, Peers, Port, Probe, Protocol, Provenance, Resources, Run,
    Sessions, Spec, Statefulness, Transport, Volume,
};
