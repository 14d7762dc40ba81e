//! Plans from what targets answered.

use super::*;
use crate::config;
use crate::config::publish::Publish;

const SETTINGS: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \"server\"\n\
    console-script = \"demo\"\n[prove.stdio]\n[prove.call]\ntool = \"ping\"\n\
    [target.github]\nkind = \"github\"\nrepository = \"a/b\"\n\
    [target.test]\nkind = \"pypi\"\nrepository = \"testpypi\"\n\
    [target.try]\nkind = \"install-test\"\nfrom = \"test\"\n\
    [target.main]\nkind = \"pypi\"\nrepository = \"pypi\"\n\
    [target.oci]\nkind = \"oci\"\nrepository = \"ghcr.io/a/b\"\n\
    [target.open]\nkind = \"open-vsx\"\n[target.market]\nkind = \"marketplace\"\n\
    [target.mcp]\nkind = \"mcp\"\n[profile.all]\n\
    targets = [\"mcp\", \"market\", \"open\", \"oci\", \"main\", \"try\", \"test\", \"github\"]\n\
    [profile.one]\ntargets = [\"test\", \"try\"]\n";

fn settings() -> Publish {
    config::parse(SETTINGS, "release.toml").unwrap().publish
}

fn item(key: &str, phase: Phase) -> Item {
    Item {
        key: key.to_owned(),
        sha256: Digest::of(key.as_bytes()),
        size: 1,
        phase,
    }
}

fn subject() -> Subject {
    Subject {
        name: "demo".to_owned(),
        version: "1.4.0".to_owned(),
        commit: "c".repeat(40),
        wheel: Digest::of(b"wheel"),
    }
}

/// A plan in which every target has one item of this presence, but for those named.
fn planned(profile: &str, all: &Presence, but: &[(&str, Seen)]) -> Plan {
    let publish = settings();
    let profile = publish.profile(profile).unwrap();
    let seen = profile.targets.iter().map(|name| {
        let target = publish.target(name).unwrap();
        let other = but.iter().find(|(but, _)| but == name);
        let seen = match (&target.place, other) {
            (_, Some((_, seen))) => seen.clone(),
            (Place::InstallTest { .. }, None) => Seen::Test,
            (_, None) => Seen::Items(vec![(item(name, Phase::Main), all.clone())]),
        };
        (target, seen)
    });
    let seen = seen.collect();
    plan(&publish, profile, Selection::All, subject(), seen)
}

fn order(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.name.as_str()).collect()
}

const SAME: Presence = Presence::Same {
    level: Level::Digest,
};

#[test]
fn the_order_is_that_of_what_can_be_undone() {
    let github = Seen::Items(vec![
        (item("a", Phase::Main), Presence::Absent),
        (item("release", Phase::Last), Presence::Absent),
    ]);
    let plan = planned("all", &Presence::Absent, &[("github", github)]);
    assert_eq!(
        order(&plan),
        [
            "github",
            "test",
            "try",
            "main",
            "oci",
            "market",
            "open",
            "mcp",
            "github:last"
        ]
    );
    let after = |name| plan.step(name).unwrap().after.clone();
    assert!(after("github").is_empty() && after("test").is_empty());
    assert_eq!(after("try"), ["test"]);
    for name in ["main", "oci", "market", "open"] {
        assert_eq!(after(name), ["try"], "{name}");
    }
    assert_eq!(after("mcp"), ["main", "try"]);
    assert_eq!(after("github:last").len(), 8);
    let registry = Seen::Items(vec![
        (item("1.0.0", Phase::Main), Presence::Absent),
        (item("latest", Phase::Last), Presence::Absent),
    ]);
    let github = Seen::Items(vec![
        (item("a", Phase::Main), Presence::Absent),
        (item("release", Phase::Last), Presence::Absent),
    ]);
    let seen = [("oci", registry), ("github", github)];
    let plan = planned("all", &Presence::Absent, &seen);
    assert_eq!(order(&plan)[8..], ["oci:last", "github:last"]);
    let last = plan.step("github:last").unwrap();
    assert!(last.after.contains(&"oci:last".to_owned()));
    let ranks: Vec<u8> = plan.steps.iter().map(|step| step.rank).collect();
    assert!(ranks.is_sorted());
    assert_eq!(
        plan.step("market").unwrap().rank,
        plan.step("open").unwrap().rank
    );
}

#[test]
fn what_a_target_has_is_told_by_its_most_pressing_item() {
    let absent = Presence::Absent;
    let pending = Presence::Pending {
        since: None,
        why: "validation".into(),
    };
    let differs = Presence::Differs { remote: "x".into() };
    let outdated = Presence::Outdated { remote: "x".into() };
    let check = |presences: &[&Presence], expected: State, uploads: usize| {
        let items = presences
            .iter()
            .enumerate()
            .map(|(index, presence)| (item(&index.to_string(), Phase::Main), (*presence).clone()));
        let seen = Seen::Items(items.collect());
        let plan = planned("one", &SAME, &[("test", seen)]);
        let step = plan.step("test").unwrap();
        assert_eq!(
            (step.state, step.uploads),
            (expected, uploads),
            "{presences:?}"
        );
    };
    check(&[&absent, &absent], State::Absent, 2);
    check(&[&SAME, &SAME], State::Same, 0);
    check(&[&SAME, &absent], State::Partial, 1);
    check(&[&SAME, &outdated], State::Partial, 1);
    check(&[&SAME, &pending], State::Pending, 0);
    check(&[&absent, &pending], State::Partial, 1);
    check(&[&absent, &differs, &pending], State::Conflict, 1);
}

#[test]
fn a_test_is_done_while_something_waits_for_it() {
    let state = |plan: &Plan| plan.step("try").unwrap().state;
    assert_eq!(state(&planned("all", &Presence::Absent, &[])), State::Test);
    let all_there = planned("all", &SAME, &[]);
    assert_eq!(state(&all_there), State::NotNeeded);
    assert!(all_there.is_converged());
    let missing = Seen::Items(vec![(item("oci", Phase::Main), Presence::Absent)]);
    assert_eq!(
        state(&planned("all", &SAME, &[("oci", missing)])),
        State::Test
    );
    // Where nothing comes after it, it is done when its index gets something.
    assert_eq!(state(&planned("one", &Presence::Absent, &[])), State::Test);
    assert_eq!(state(&planned("one", &SAME, &[])), State::NotNeeded);
}

#[test]
fn a_target_that_does_not_answer_is_no_target_without_the_release() {
    let unknown = Seen::Unknown {
        why: "no connection".to_owned(),
        hints: Vec::new(),
    };
    let plan = planned("all", &SAME, &[("main", unknown)]);
    let step = plan.step("main").unwrap();
    assert_eq!(
        (step.state, step.because.as_str()),
        (State::Unknown, "no connection")
    );
    assert!(!plan.is_converged());
}

#[test]
fn the_plan_reads_as_people_read() {
    let now = "2026-11-28T12:04:00Z".parse().unwrap();
    let market = Seen::Items(vec![(
        item("example.demo@1.4.0", Phase::Main),
        Presence::Pending {
            since: Some("2026-11-28T12:00:00Z".to_owned()),
            why: "not visible yet".to_owned(),
        },
    )]);
    let open = Seen::Items(vec![(
        item("example.demo@1.4.0", Phase::Main),
        Presence::Differs {
            remote: Digest::of(b"other").to_string(),
        },
    )]);
    let github = Seen::Items(vec![
        (item("a", Phase::Main), SAME),
        (item("b", Phase::Main), Presence::Absent),
    ]);
    let seen = [("market", market), ("open", open), ("github", github)];
    let text = planned("all", &SAME, &seen).text(now);
    for expected in [
        "demo 1.4.0  (commit cccccccccccc, wheel sha256:",
        "  github  1 of 2 there → upload 1",
        "            a draft, seen by nobody yet",
        "  test    same\n",
        "  market  pending (uploaded 4 min ago, not visible yet)",
        "  open    conflict (example.demo@1.4.0 exists with other bytes: sha256:d9298a10d1b0… ≠ sha256:",
        "            final: a version is published once; after try",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in:\n{text}");
    }
}

#[test]
fn the_schema_describes_the_plan() {
    let schema = include_str!("../../../docs/plan.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let differs = Seen::Items(vec![(
        item("a", Phase::Last),
        Presence::Differs { remote: "x".into() },
    )]);
    let pending = Seen::Items(vec![(
        item("a", Phase::Main),
        Presence::Pending {
            since: None,
            why: "x".into(),
        },
    )]);
    let unknown = Seen::Unknown {
        why: "x".to_owned(),
        hints: vec!["y".to_owned()],
    };
    let seen = [("open", differs), ("market", pending), ("oci", unknown)];
    for plan in [
        planned("all", &SAME, &seen),
        planned("one", &Presence::Absent, &[]),
    ] {
        let value = serde_json::to_value(&plan).unwrap();
        let problems: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(problems.is_empty(), "{problems:?}");
        let mut wrong = value.clone();
        wrong["steps"][0]["state"] = "perhaps".into();
        assert!(!validator.is_valid(&wrong));
    }
}

#[test]
fn a_selection_looks_at_what_it_needs_and_has_nothing_that_comes_last() {
    let publish = settings();
    let profile = publish.profile("all").unwrap();
    let check = |only: &[&str], expected: &[&str]| {
        let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
        let targets = Selection::Only(&only).looked_at(&publish, profile);
        let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, expected, "{only:?}");
    };
    check(&["github"], &["github"]);
    check(&["test"], &["test"]);
    check(&["try"], &["try", "test"]);
    check(&["oci"], &["oci", "try", "test"]);
    check(
        &["mcp", "github"],
        &["mcp", "main", "try", "test", "github"],
    );
    assert_eq!(Selection::All.looked_at(&publish, profile).len(), 8);

    let only = ["oci".to_owned()];
    let items = |name: &str, presence: &Presence| {
        let last = (item("latest", Phase::Last), Presence::Absent);
        Seen::Items(vec![(item(name, Phase::Main), presence.clone()), last])
    };
    let target = |name: &str| publish.target(name).unwrap();
    let limited = |staging: &Presence| {
        let seen = vec![
            (target("oci"), items("oci", &Presence::Absent)),
            (target("try"), Seen::Test),
            (target("test"), items("test", staging)),
        ];
        plan(&publish, profile, Selection::Only(&only), subject(), seen)
    };
    let part = |plan: &Plan, name: &str| {
        let step = plan.step(name).unwrap();
        (step.part, step.state, step.uploads)
    };
    let after = limited(&SAME);
    assert_eq!(order(&after), ["test", "try", "oci"]);
    assert_eq!(part(&after, "test"), (Part::Needed, State::Same, 0));
    assert_eq!(part(&after, "try"), (Part::Needed, State::NotNeeded, 0));
    assert_eq!(part(&after, "oci"), (Part::Own, State::Absent, 1));
    let before = limited(&Presence::Absent);
    assert_eq!(part(&before, "test"), (Part::Needed, State::Absent, 0));
    assert_eq!(part(&before, "try"), (Part::Needed, State::Test, 0));
}
