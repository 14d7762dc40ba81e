//! From the events of a range to intervals of affected versions. Pure.
//!
//! The OSV schema describes a loop over sorted events for one version ("Evaluation"). Its answer
//! changes only at the keys of events, so that it can be taken once for all versions: at each
//! key, and just behind it. The intervals that come out are disjoint, in order, and never empty.

use std::cmp::Ordering;

use super::order::{self, Key};
use super::{High, Interval};
use crate::lockfile::Ecosystem;

/// What happens at a version (OSV schema, `affected[].ranges[].events`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// From here on versions are affected.
    Introduced,
    /// From here on they are not.
    Fixed,
    /// Behind this one they are not.
    LastAffected,
    /// The range says nothing from here on.
    Limit,
}

/// One event of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'text> {
    /// What happens.
    pub change: Change,
    /// The version, as written.
    pub version: &'text str,
}

impl Event<'_> {
    /// The key at which it happens.
    pub fn key(&self, ecosystem: Ecosystem) -> Key {
        match (self.change, self.version) {
            (Change::Introduced, "0") => Key::LOWEST,
            (_, version) => order::key(ecosystem, version),
        }
    }
}

/// What one range affects. Among events at the same key the order of the list decides: the last
/// one wins, as it does in a loop over a stable sort.
pub fn of_range(ecosystem: Ecosystem, events: &[Event<'_>]) -> Vec<Interval> {
    let (limits, events): (Vec<&Event<'_>>, Vec<&Event<'_>>) = events
        .iter()
        .partition(|event| event.change == Change::Limit);
    let mut sorted: Vec<(Key, &Event<'_>)> = events
        .into_iter()
        .map(|event| (event.key(ecosystem), event))
        .collect();
    sorted.sort_by(|one, other| one.0.cmp(&other.0));
    let intervals = fold(&sorted);
    match limit(ecosystem, &limits) {
        Some(limit) => intervals
            .into_iter()
            .filter_map(|interval| clip(interval, &limit))
            .collect(),
        None => intervals,
    }
}

fn fold(sorted: &[(Key, &Event<'_>)]) -> Vec<Interval> {
    let mut intervals = Vec::new();
    let mut open: Option<Key> = None;
    for tied in sorted.chunk_by(|one, other| one.0 == other.0) {
        let Some((key, last)) = tied.last() else {
            continue;
        };
        // At the key itself `last_affected` does nothing yet.
        let here = tied
            .iter()
            .rev()
            .find(|(_, event)| event.change != Change::LastAffected);
        match here.map(|(_, event)| event) {
            Some(event) if event.change == Change::Introduced => {
                open.get_or_insert_with(|| key.clone());
            }
            Some(event) => intervals.extend(open.take().map(|low| {
                let fixed = Some(event.version.to_owned());
                let key = key.clone();
                let high = High::Below { key, fixed };
                Interval { low, high }
            })),
            None => {}
        }
        if last.change == Change::LastAffected {
            intervals.extend(open.take().map(|low| {
                let high = High::Through(key.clone());
                Interval { low, high }
            }));
        }
    }
    intervals.extend(open.map(|low| Interval {
        low,
        high: High::Open,
    }));
    intervals
}

/// The key below which the range says something: the highest limit; `None` for no bound.
fn limit(ecosystem: Ecosystem, limits: &[&Event<'_>]) -> Option<Key> {
    if limits.iter().any(|event| event.version == "*") {
        return None;
    }
    limits.iter().map(|event| event.key(ecosystem)).max()
}

fn clip(interval: Interval, limit: &Key) -> Option<Interval> {
    if interval.low >= *limit {
        return None;
    }
    let is_beyond = match &interval.high {
        High::Open => true,
        High::Below { key, .. } => key > limit,
        High::Through(key) => key >= limit,
    };
    let below = High::Below {
        key: limit.clone(),
        fixed: None,
    };
    Some(Interval {
        low: interval.low,
        high: if is_beyond { below } else { interval.high },
    })
}

/// One version and no other.
pub fn point(key: Key) -> Interval {
    Interval {
        high: High::Through(key.clone()),
        low: key,
    }
}

/// The same versions in as few intervals as there can be, disjoint and in order.
///
/// Where two intervals meet, the end of the first is none: its `fixed` is affected too.
pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_by(|one, other| one.low.cmp(&other.low));
    let mut united: Vec<Interval> = Vec::with_capacity(intervals.len());
    for next in intervals {
        match united.last_mut() {
            Some(last) if reaches(&last.high, &next.low) => extend(&mut last.high, next.high),
            _ => united.push(next),
        }
    }
    united
}

/// Whether nothing lies between the end of one interval and the beginning of another.
fn reaches(high: &High, low: &Key) -> bool {
    match high {
        High::Open => true,
        High::Below { key, .. } | High::Through(key) => low <= key,
    }
}

fn extend(high: &mut High, other: High) {
    match compare(high, &other) {
        Ordering::Less => *high = other,
        Ordering::Equal => {
            if let (High::Below { fixed, .. }, High::Below { fixed: text, .. }) = (high, other)
                && fixed.is_none()
            {
                *fixed = text;
            }
        }
        Ordering::Greater => {}
    }
}

fn compare(one: &High, other: &High) -> Ordering {
    fn rank(high: &High) -> (bool, Option<&Key>, bool) {
        match high {
            High::Open => (true, None, false),
            High::Below { key, .. } => (false, Some(key), false),
            High::Through(key) => (false, Some(key), true),
        }
    }
    rank(one).cmp(&rank(other))
}

/// Whether one of the intervals, which are disjoint and in order, holds the key.
pub fn contains(intervals: &[Interval], key: &Key) -> bool {
    let behind = intervals.partition_point(|interval| interval.low <= *key);
    let last = behind.checked_sub(1).and_then(|index| intervals.get(index));
    last.is_some_and(|interval| match &interval.high {
        High::Open => true,
        High::Below { key: high, .. } => key < high,
        High::Through(high) => key <= high,
    })
}

#[cfg(test)]
mod tests;
