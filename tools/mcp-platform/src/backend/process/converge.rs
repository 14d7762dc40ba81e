//! From what is wanted and which instances there are to the next steps. Pure.

use crate::model::Statefulness;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What an instance must carry.
    pub stamp: String,
    /// How many.
    pub count: usize,
    /// How they are replaced.
    pub statefulness: Statefulness,
}

/// One instance that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub stamp: String,
    /// Whether it takes sessions.
    pub ready: bool,
    /// Whether it was told to end.
    pub ending: bool,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start one more of the wanted kind.
    Start,
    /// End this one: sessions first, then a signal.
    End(String),
}

/// The steps that are due now; empty when there is nothing to do until something changes.
///
/// A singleton is never there twice: the old one is gone before the new one starts. Of all others
/// there is one more during a change, and never are fewer ready than were ready before.
pub fn converge(wanted: &Wanted, seen: &[Seen]) -> Vec<Step> {
    let (current, old): (Vec<&Seen>, Vec<&Seen>) = seen
        .iter()
        .filter(|instance| !instance.ending)
        .partition(|instance| instance.stamp == wanted.stamp);
    let mut steps = surplus(&current, wanted.count);
    if wanted.count == 0 {
        steps.extend(old.iter().map(|instance| Step::End(instance.name.clone())));
        return steps;
    }
    if wanted.statefulness == Statefulness::Singleton {
        steps.extend(old.iter().map(|instance| Step::End(instance.name.clone())));
        if seen.is_empty() {
            steps.push(Step::Start);
        }
        return steps;
    }
    let surge = usize::from(!old.is_empty());
    let room = (wanted.count + surge).saturating_sub(current.len() + old.len());
    let missing = wanted.count.saturating_sub(current.len());
    steps.extend((0..room.min(missing)).map(|_| Step::Start));
    steps.extend(superseded(&current, &old, wanted.count));
    steps
}

/// More than are wanted: those go first that are not ready, then the newest.
fn surplus(current: &[&Seen], count: usize) -> Vec<Step> {
    let mut order: Vec<&&Seen> = current.iter().collect();
    order.sort_by_key(|instance| instance.ready);
    // `sort_by_key` keeps the order of age; the newest is the last one of its group.
    let excess = current.len().saturating_sub(count);
    let unready = order.iter().take_while(|instance| !instance.ready).count();
    order[..unready].reverse();
    order[unready..].reverse();
    order
        .iter()
        .take(excess)
        .map(|instance| Step::End(instance.name.clone()))
        .collect()
}

/// Old ones that may go: those that are not ready, and as many ready ones as there are more than
/// enough.
fn superseded(current: &[&Seen], old: &[&Seen], count: usize) -> Vec<Step> {
    let ready = current.iter().chain(old).filter(|one| one.ready).count();
    let mut spare = ready.saturating_sub(count);
    let complete = current.len() >= count && current.iter().all(|one| one.ready);
    let mut steps = Vec::new();
    for instance in old {
        let goes = if !instance.ready || complete {
            true
        } else if spare > 0 {
            spare -= 1;
            true
        } else {
            false
        };
        if goes {
            steps.push(Step::End(instance.name.clone()));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a1` is an instance of the wanted stamp and ready, `a0` not ready; `b` is another stamp,
    /// `a-` is ending.
    fn check(statefulness: Statefulness, count: usize, present: &str, expected: &str) {
        let seen: Vec<Seen> = present
            .split_whitespace()
            .enumerate()
            .map(|(index, word)| Seen {
                name: index.to_string(),
                stamp: word[..1].to_owned(),
                ready: &word[1..] == "1",
                ending: &word[1..] == "-",
            })
            .collect();
        let wanted = Wanted {
            stamp: "a".to_owned(),
            count,
            statefulness,
        };
        let steps: Vec<String> = converge(&wanted, &seen)
            .iter()
            .map(|step| match step {
                Step::Start => "start".to_owned(),
                Step::End(name) => format!("end{name}"),
            })
            .collect();
        assert_eq!(steps.join(" "), expected, "{count} of {present}");
    }

    #[test]
    fn stateless_rolls_with_one_more() {
        let check = |count, present, expected| {
            check(Statefulness::Stateless, count, present, expected);
        };
        check(2, "", "start start");
        check(2, "a0 a0", "");
        check(2, "a1 a1", "");
        check(2, "b1 b1", "start");
        check(2, "b1 b1 a0", "");
        check(2, "b1 b1 a1", "end0");
        check(2, "b- b1 a1", "start");
        check(2, "b1 a1 a0", "");
        check(2, "b1 a1 a1", "end0");
        check(2, "b0 b1", "start end0");
        check(1, "b0", "start end0");
        check(0, "a1 b1 a-", "end0 end1");
        check(1, "a1 a1 a1", "end2 end1");
        check(2, "a1 a0 a1", "end1");
        check(1, "b1 b1 b1", "end0 end1");
    }

    #[test]
    fn a_singleton_is_never_there_twice() {
        let check = |count, present, expected| {
            check(Statefulness::Singleton, count, present, expected);
        };
        check(1, "", "start");
        check(1, "b1", "end0");
        check(1, "b-", "");
        check(1, "a-", "");
        check(1, "a0", "");
        check(0, "a1", "end0");
    }
}
