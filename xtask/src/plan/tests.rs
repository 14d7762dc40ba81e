//! What is kept and what is made, one change at a time.

use super::*;
use crate::artifact::{Artifact, Digest, Proof, Source, seal};

fn inputs(commit: &str) -> Inputs {
    BTreeMap::from([("commit".to_owned(), commit.to_owned())])
}

fn artifact(kind: Kind, inputs: Inputs) -> Artifact {
    seal(
        kind,
        ("demo", "1.0"),
        kind.word(),
        kind.word().as_bytes(),
        inputs,
    )
}

fn finished() -> Observed {
    let source = Source {
        commit: "c".to_owned(),
        dirty: false,
        source_date_epoch: 0,
    };
    let mut manifest = Manifest {
        schema: 1,
        name: "demo".to_owned(),
        version: "1.0".to_owned(),
        source,
        artifacts: [Kind::Wheel, Kind::Sdist, Kind::Requirements, Kind::Licenses]
            .map(|kind| artifact(kind, inputs("c")))
            .to_vec(),
        proof: None,
    };
    manifest.proof = Some(Proof {
        wheel: Digest::of(b"wheel"),
        requirements: Digest::of(b"requirements"),
        inputs: with_files(&inputs("p"), &manifest),
        checks: Vec::new(),
        tools: Vec::new(),
    });
    manifest.put(artifact(Kind::Vsix, with_files(&inputs("v"), &manifest)));
    for kind in [Kind::Findings, Kind::FindingsSarif, Kind::FindingsMarkdown] {
        manifest.put(artifact(kind, inputs("f")));
    }
    let bill = with_all_files(&inputs("b"), &manifest);
    for kind in [Kind::SbomCycloneDx, Kind::SbomSpdx, Kind::Vex] {
        manifest.put(artifact(kind, bill.clone()));
    }
    let described = with_tools(&inputs("s"), &manifest);
    manifest.put(artifact(Kind::ServerJson, described));
    manifest.put(artifact(Kind::Provenance, inputs("c")));
    Observed {
        audit: Audited::Passed(inputs("f")),
        bill: inputs("b"),
        manifest: Some(manifest),
        build: Some(inputs("c")),
        requirements: inputs("c"),
        package: Packaging::From(inputs("v")),
        proof: Some(inputs("p")),
        server_json: Some(inputs("s")),
        bundle_in_place: true,
        dist_in_place: true,
    }
}

/// The words of the steps that are made after one change to a finished release.
fn check(change: impl FnOnce(&mut Observed), expected: &str) {
    let mut observed = finished();
    change(&mut observed);
    let plan = plan(&observed);
    let made = plan
        .steps
        .iter()
        .filter(|planned| matches!(planned.action, Action::Make(_)));
    let made: Vec<&str> = made.map(|planned| planned.step.word()).collect();
    assert_eq!(made.join(" "), expected, "{plan}");
}

fn without(observed: &mut Observed, kind: Kind) {
    let manifest = observed.manifest.as_mut().unwrap();
    manifest.artifacts.retain(|artifact| artifact.kind != kind);
}

#[test]
fn only_what_its_inputs_changed_is_made_again() {
    check(|_| {}, "");
    check(
        |observed| observed.manifest = None,
        "audit build requirements bundle prove package bill server-json seal",
    );
    check(
        |observed| observed.build = Some(inputs("d")),
        "build bundle prove package bill server-json seal",
    );
    check(
        |observed| observed.build = None,
        "build bundle prove package bill server-json seal",
    );
    check(
        |observed| observed.requirements = inputs("d"),
        "requirements bundle prove package bill server-json seal",
    );
    check(
        |observed| observed.package = Packaging::From(inputs("w")),
        "package bill seal",
    );
    check(
        |observed| observed.package = Packaging::NoNode,
        "package bill seal",
    );
    check(
        |observed| observed.proof = Some(inputs("q")),
        "prove bill server-json seal",
    );
    check(
        |observed| observed.manifest.as_mut().unwrap().proof = None,
        "prove bill server-json seal",
    );
    check(
        |observed| observed.audit = Audited::Passed(inputs("g")),
        "audit bill seal",
    );
    for kind in [Kind::FindingsSarif, Kind::FindingsMarkdown] {
        check(|observed| without(observed, kind), "audit bill seal");
    }
    for kind in [Kind::SbomCycloneDx, Kind::SbomSpdx, Kind::Vex] {
        check(|observed| without(observed, kind), "bill seal");
    }
    check(|observed| observed.audit = Audited::LeftOut, "bill seal");
    check(|observed| observed.bill = inputs("c"), "bill seal");
    check(
        |observed| without(observed, Kind::Vsix),
        "package bill seal",
    );
    check(
        |observed| without(observed, Kind::Sdist),
        "build bundle prove package bill server-json seal",
    );
    check(|observed| observed.bundle_in_place = false, "bundle seal");
    check(|observed| observed.server_json = None, "");
    check(
        |observed| observed.server_json = Some(inputs("t")),
        "server-json seal",
    );
    check(
        |observed| without(observed, Kind::ServerJson),
        "server-json seal",
    );
    check(
        |observed| {
            let manifest = observed.manifest.as_mut().unwrap();
            manifest
                .proof
                .as_mut()
                .unwrap()
                .tools
                .push("ping".to_owned());
        },
        "server-json seal",
    );
    check(|observed| without(observed, Kind::Provenance), "seal");
    check(|observed| observed.dist_in_place = false, "seal");
}

#[test]
fn without_an_extension_two_steps_are_left_out_and_say_so() {
    let observed = Observed {
        package: Packaging::None,
        ..finished()
    };
    let plan = plan(&observed);
    let left = |step| {
        plan.steps
            .iter()
            .any(|planned| planned.step == step && matches!(planned.action, Action::Leave(_)))
    };
    assert!(left(Step::Bundle) && left(Step::Package) && plan.is_empty());
}

#[test]
fn the_printed_plan_says_what_and_why() {
    let text = plan(&Observed {
        build: Some(inputs("d")),
        ..finished()
    })
    .to_string();
    let first: Vec<&str> = text.lines().skip(2).take(2).collect();
    assert_eq!(
        first[0],
        "→ build        wheel and sdist from the commit, through PEP 517"
    );
    assert_eq!(first[1], "               make: commit was c, is d");
}
