//! From what is wanted and the containers that there are to the steps that can be taken now. Pure.
//!
//! Taking the steps and asking again leads to what is wanted, wherever it was left off: nothing is
//! remembered between two calls, and a step that was taken already is not asked for again.

/// What is wanted of the instances of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The revision.
    pub revision: String,
    /// The generation of the last restart.
    pub epoch: u64,
    /// How many.
    pub replicas: u32,
    /// How one revision gives way to the next.
    pub rollout: Rollout,
}

/// How one revision gives way to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// One instance more proves the new revision, then one slot after the other changes; the old
    /// ones serve meanwhile.
    Surge,
    /// One slot after the other changes: each instance owns a volume that no second one may use.
    InPlace,
    /// The old instance ends before the new one begins.
    Recreate,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: String,
    /// The generation of the restart that it came with.
    pub epoch: u64,
    /// Its slot.
    pub slot: u32,
    /// Where it is in its life.
    pub life: Life,
    /// Whether it takes sessions.
    pub ready: bool,
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Created and not started: whoever made it was ended before its files were in it.
    HalfMade,
    /// The engine refused to start it, or it was stopped by hand.
    Down,
    /// Running, or being started again by the engine.
    Up,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make an instance of the wanted revision and start it.
    Create {
        /// Its slot.
        slot: u32,
    },
    /// Start a container that is there.
    Start {
        /// Its name.
        name: String,
    },
    /// Let its sessions end, end it, remove it.
    Retire {
        /// Its name.
        name: String,
    },
    /// Remove what never ran.
    Discard {
        /// Its name.
        name: String,
    },
    /// Nothing can be done before an instance is ready.
    Wait,
}

/// The steps that can be taken now, in any order; empty when everything is as wanted.
pub fn converge(wanted: &Wanted, present: &[Present]) -> Vec<Step> {
    let half: Vec<Step> = present
        .iter()
        .filter(|one| one.life == Life::HalfMade)
        .map(|one| Step::Discard {
            name: one.name.clone(),
        })
        .collect();
    if !half.is_empty() {
        return half;
    }
    if wanted.replicas == 0 {
        return present.iter().map(retire).collect();
    }
    let (current, stale): (Vec<&Present>, Vec<&Present>) = present
        .iter()
        .partition(|one| one.revision == wanted.revision && one.epoch == wanted.epoch);
    let down: Vec<Step> = current
        .iter()
        .filter(|one| one.life == Life::Down)
        .map(|one| Step::Start {
            name: one.name.clone(),
        })
        .collect();
    if !down.is_empty() {
        return down;
    }
    let missing: Vec<u32> = (0..wanted.replicas)
        .filter(|slot| !present.iter().any(|one| one.slot == *slot))
        .collect();
    if stale.is_empty() {
        return settled(wanted, &current, &missing);
    }
    match wanted.rollout {
        Rollout::Recreate => stale.into_iter().map(retire).collect(),
        Rollout::Surge | Rollout::InPlace => roll(wanted, &current, &stale, &missing),
    }
}

/// Every container is of the wanted revision.
fn settled(wanted: &Wanted, current: &[&Present], missing: &[u32]) -> Vec<Step> {
    if !missing.is_empty() {
        return create(missing);
    }
    let surplus: Vec<Step> = current
        .iter()
        .filter(|one| one.slot >= wanted.replicas)
        .map(|one| retire(one))
        .collect();
    let unready = current
        .iter()
        .any(|one| one.slot < wanted.replicas && !one.ready);
    if unready && !surplus.is_empty() {
        return vec![Step::Wait];
    }
    surplus
}

/// Old and new instances are there, at least one of them old.
fn roll(wanted: &Wanted, current: &[&Present], stale: &[&Present], missing: &[u32]) -> Vec<Step> {
    if !missing.is_empty() {
        return create(missing);
    }
    let complete = (0..wanted.replicas).all(|slot| current.iter().any(|one| one.slot == slot));
    if complete {
        return stale.iter().map(|one| retire(one)).collect();
    }
    if current.iter().any(|one| !one.ready) {
        return vec![Step::Wait];
    }
    if current.is_empty() && wanted.rollout == Rollout::Surge {
        // One that an interrupted rollout left beyond the slots goes first: its slot and its port are
        // the new one's.
        let beyond: Vec<Step> = stale
            .iter()
            .filter(|one| one.slot >= wanted.replicas)
            .map(|one| retire(one))
            .collect();
        return if beyond.is_empty() {
            create(&[wanted.replicas])
        } else {
            beyond
        };
    }
    // What does not serve goes first.
    stale
        .iter()
        .filter(|one| one.slot < wanted.replicas)
        .min_by_key(|one| (one.ready, one.slot))
        .map(|one| retire(one))
        .into_iter()
        .collect()
}

fn create(slots: &[u32]) -> Vec<Step> {
    slots
        .iter()
        .map(|slot| Step::Create { slot: *slot })
        .collect()
}

fn retire(one: &Present) -> Step {
    Step::Retire {
        name: one.name.clone(),
    }
}

#[cfg(test)]
mod tests;
