use super::*;
use crate::advisory::test_data::{Random, events};

/// The pseudo code of the schema, line for line.
fn in_range(ecosystem: Ecosystem, version: &str, events: &[Event<'_>]) -> bool {
    let version = order::key(ecosystem, version);
    let limits: Vec<_> = events
        .iter()
        .filter(|event| event.change == Change::Limit)
        .collect();
    let before_limits = limits.is_empty()
        || limits
            .iter()
            .any(|limit| limit.version == "*" || version < order::key(ecosystem, limit.version));
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|event| event.key(ecosystem));
    let mut vulnerable = false;
    for event in sorted {
        let key = order::key(ecosystem, event.version);
        match event.change {
            Change::Introduced if event.version == "0" || version >= key => vulnerable = true,
            Change::Fixed if version >= key => vulnerable = false,
            Change::LastAffected if version > key => vulnerable = false,
            _ => {}
        }
    }
    before_limits && vulnerable
}

#[test]
fn a_range_affects_what_its_events_say() {
    let check = |range: &str, inside: &str, outside: &str| {
        let intervals = of_range(Ecosystem::Pypi, &events(range));
        let holds = |text| contains(&intervals, &order::key(Ecosystem::Pypi, text));
        for version in inside.split_whitespace() {
            assert!(holds(version), "{version} in {range}: {intervals:?}");
        }
        for version in outside.split_whitespace() {
            assert!(!holds(version), "{version} not in {range}: {intervals:?}");
        }
    };
    check(">=0 <2", "0.dev0 1.999 2.dev0 junk", "2 2.0 3");
    check(">=1 <2", "1 1.0.0 1.5", "0.9 1rc1 2 2.0.0");
    check(">=1", "1 99!1", "0.9 junk");
    check(">=1 <=2", "1 2 2.0", "2.0.1 2.0+local 0");
    check("<2 >=1", "1", "2 0");
    check(">=3 <4 >=1 <2", "1 3", "0 2 4");
    check(">=1 <1", "", "0 1 2");
    check("<1 >=1", "1 2", "0");
    check(">=1 <=1", "1", "0 1.1");
    check(">=1 >=0.5 <2", "0.5 1", "0.4 2");
    check(">=0 |2", "0 1", "2 3");
    check(">=0 |2 |3", "0 2.5", "3 4");
    check(">=0 |2 |*", "0 2.5 9", "");
    check(">=0 <1 >=2 <3 |2.5", "0 2", "1 2.5 3");
    check(">=0 <=2 |2", "1", "2");
    check(">=0 <junk", "", "junk 0.dev0 1");
    check(">=0 <=junk", "junk", "0.dev0 1");
    check("<1", "", "0 1 2");
    check("|1", "", "0 1 2");
    check("", "", "0 1 2");
}

#[test]
fn a_fix_keeps_its_text_and_a_limit_is_none() {
    let check = |range: &str, expected: &[Option<&str>]| {
        let fixed: Vec<Option<String>> = of_range(Ecosystem::Pypi, &events(range))
            .into_iter()
            .map(|interval| match interval.high {
                High::Below { fixed, .. } => fixed,
                High::Open | High::Through(_) => None,
            })
            .collect();
        let fixed: Vec<Option<&str>> = fixed.iter().map(Option::as_deref).collect();
        assert_eq!(fixed, expected, "{range}");
    };
    check(">=0 <2.0 >=3 <v4", &[Some("2.0"), Some("v4")]);
    check(">=0 |2", &[None]);
    check(">=0 <2 |2.0", &[Some("2")]);
    check(">=0 <2 |1", &[None]);
    check(">=0 <=2", &[None]);
}

#[test]
fn intervals_that_meet_become_one() {
    let check = |ranges: &[&str], points: &[&str], expected: &str| {
        let key = |text| order::key(Ecosystem::Pypi, text);
        let mut all: Vec<Interval> = ranges
            .iter()
            .flat_map(|range| of_range(Ecosystem::Pypi, &events(range)))
            .collect();
        all.extend(points.iter().map(|text| point(key(text))));
        assert_eq!(
            union(all),
            of_range(Ecosystem::Pypi, &events(expected)),
            "{ranges:?}"
        );
    };
    check(&[">=1 <3", ">=2 <5"], &[], ">=1 <5");
    check(&[">=2 <5", ">=1 <3"], &["4", "1"], ">=1 <5");
    check(&[">=1 <3", ">=3 <5"], &[], ">=1 <5");
    check(&[">=1 <3"], &["3"], ">=1 <=3");
    check(&[">=1 <=3", ">=3 <5"], &[], ">=1 <5");
    check(&[">=1 <3", ">=4 <5"], &["3.5"], ">=1 <3 >=3.5 <=3.5 >=4 <5");
    check(&[">=1 |3", ">=2 <3"], &[], ">=1 <3");
    check(&[">=1", ">=2 <3"], &["9"], ">=1");
    check(&[], &["1", "1.0", "2"], ">=1 <=1 >=2 <=2");
    check(&[], &[], "");
}

#[test]
fn intervals_say_what_the_pseudo_code_says() {
    let mut random = Random(11);
    let versions = [
        "0", "0.dev0", "1", "1.0", "1.5", "2rc1", "2", "3", "3+a", "junk", "1a",
    ];
    let changes = [
        Change::Introduced,
        Change::Fixed,
        Change::LastAffected,
        Change::Introduced,
    ];
    let semantic = [
        "0", "0.0.0-0", "1", "1.0.0", "1.5.0-a", "2.0.0-0", "2.0.0", "junk",
    ];
    for round in 0..6000 {
        let (ecosystem, versions) = match round % 2 {
            0 => (Ecosystem::Pypi, &versions[..]),
            _ => (Ecosystem::Npm, &semantic[..]),
        };
        let count = random.below(7);
        let events: Vec<Event<'_>> = (0..count)
            .map(|_| match random.below(12) {
                0 => Event {
                    change: Change::Limit,
                    version: random.of(&["*", "2", "3", "junk"]),
                },
                _ => Event {
                    change: random.of(&changes),
                    version: random.of(versions),
                },
            })
            .collect();
        let intervals = of_range(ecosystem, &events);
        assert_eq!(union(intervals.clone()), intervals, "{events:?}");
        for version in versions
            .iter()
            .chain(&["0.5", "1.7.0", "2.0.1", "9", "jum", "jun k"])
        {
            let found = contains(&intervals, &order::key(ecosystem, version));
            let expected = in_range(ecosystem, version, &events);
            assert_eq!(found, expected, "{version} in {events:?}: {intervals:?}");
        }
    }
}

#[test]
fn a_union_holds_what_one_of_its_parts_holds() {
    let mut random = Random(5);
    let versions = ["0", "1", "2", "3", "4", "5", "6"];
    for _ in 0..3000 {
        let parts: Vec<Vec<Interval>> = (0..random.below(4))
            .map(|_| {
                let events: Vec<Event<'_>> = (0..random.below(5))
                    .map(|_| Event {
                        change: random.of(&[
                            Change::Introduced,
                            Change::Fixed,
                            Change::LastAffected,
                        ]),
                        version: random.of(&versions),
                    })
                    .collect();
                of_range(Ecosystem::Pypi, &events)
            })
            .collect();
        let united = union(parts.concat());
        for version in [
            "0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5", "4", "5", "6", "7",
        ] {
            let key = order::key(Ecosystem::Pypi, version);
            let expected = parts.iter().any(|part| contains(part, &key));
            assert_eq!(contains(&united, &key), expected, "{version} in {united:?}");
        }
    }
}
