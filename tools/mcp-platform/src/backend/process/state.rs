//! What a supervisor knows: what it answers, and what it leaves in a file for the time after it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Fault, Phase};

use super::members::{self, Member};

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceState {
    /// Its name.
    pub name: String,
    /// Counts the instances of the server; the order of their age.
    pub serial: u64,
    /// What it carries; see `Record::stamp`.
    pub stamp: String,
    /// Its revision.
    pub revision: String,
    /// Where it is in its life.
    pub phase: Phase,
    /// Whether it takes sessions.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// Since when it exists.
    pub created: Timestamp,
    /// What is wrong.
    pub fault: Option<Fault>,
    /// The port it listens on.
    pub port: Option<u16>,
    /// Its first process, which leads its process group.
    pub pid: Option<i32>,
    /// What marks its processes.
    pub mark: String,
}

impl InstanceState {
    /// Its living processes.
    pub fn members(&self) -> Vec<Member> {
        // A group is named after its leader; once the leader's number is another program's, the
        // group is no longer ours either, and the mark alone tells.
        let leader = self.pid.filter(|pid| members::is_marked(*pid, &self.mark));
        members::members(&self.mark, leader)
    }
}

/// What a supervisor answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its process.
    pub pid: u32,
    /// Which making of the server it speaks of.
    pub incarnation: String,
    /// The write of the record that it has taken up.
    pub changes: u64,
    /// The change that it has taken up.
    pub generation: u64,
    /// The port at which clients reach the server.
    pub port: Option<u16>,
    /// The instances by name.
    pub instances: BTreeMap<String, InstanceState>,
    /// Whether new sessions are kept away by now; none: one of an older version does not say.
    pub draining: Option<bool>,
    /// What is wrong with the whole.
    pub faults: Vec<Fault>,
    /// How many sessions are open, as far as the front sees.
    pub sessions: usize,
}

/// What a supervisor is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// What it knows.
    State,
    /// To read the record again; it answers when it has.
    Changed,
    /// To end every instance without grace.
    Kill,
}
