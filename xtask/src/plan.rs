//! What a release still needs. Pure: the plan that is printed is the plan that is performed.
//!
//! A step is kept when its artifact is in `dist/`, unharmed, and was made from equal inputs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::artifact::{Digest, Kind, Manifest};

/// Inputs of an artifact, each by a digest or an exact version.
pub type Inputs = BTreeMap<String, String>;

/// Everything a release is made of, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Hold the lock files against the advisories, and note what was found.
    Audit,
    /// Build wheel and sdist from the commit.
    Build,
    /// Export the hash-locked requirements from the lock file.
    Requirements,
    /// Put wheel, manifest and requirements into the extension.
    Bundle,
    /// Install the wheel into a fresh environment, start it and talk to it.
    Prove,
    /// Package the extension and hold the result against the gate.
    Package,
    /// List everything that is in the release, with licenses and digests.
    Bill,
    /// Describe the server for registries of MCP servers.
    ServerJson,
    /// Write notes, provenance, checksums, index and manifest, and swap them into `dist/`.
    Seal,
}

/// What is to be done about a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action", content = "because")]
pub enum Action {
    /// Nothing: the same inputs have given what is there.
    Keep(String),
    /// Do it, and why.
    Make(String),
    /// It does not apply here, and why.
    Leave(String),
}

/// A step with its decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    /// What.
    pub step: Step,
    /// Whether, and why.
    #[serde(flatten)]
    pub action: Action,
}

/// The steps of a release in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// All steps, kept ones too.
    pub steps: Vec<Planned>,
}

/// What was seen of the extension.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Packaging {
    /// The repository has no extension.
    #[default]
    None,
    /// It has one, but no Node.js is installed yet to package it.
    NoNode,
    /// What a package now would be made from, without the digests of this release's files.
    From(Inputs),
}

/// What was seen of the lock files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Audited {
    /// Nobody looked, because the caller said so.
    #[default]
    LeftOut,
    /// The policy lets them pass; what findings now would be made from.
    Passed(Inputs),
}

/// What only an audit can write. A release without one holds none of it, also none of an earlier
/// run: nothing would say that nobody has looked since.
pub const OF_AN_AUDIT: [Kind; 4] = [
    Kind::Findings,
    Kind::FindingsSarif,
    Kind::FindingsMarkdown,
    Kind::Vex,
];

/// What was seen before the decision.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// What was seen of the lock files.
    pub audit: Audited,
    /// What a bill of materials now would be made from, without the digests of this release's
    /// files.
    pub bill: Inputs,
    /// The release of this very source that is in `dist/`, with only its unharmed artifacts.
    pub manifest: Option<Manifest>,
    /// What a build now would be made from; `None` while the build tools are not installed.
    pub build: Option<Inputs>,
    /// What an export now would be made from.
    pub requirements: Inputs,
    /// What a package now would be made from.
    pub package: Packaging,
    /// What a proof now would depend on, without the digests of this release's files.
    pub proof: Option<Inputs>,
    /// What a `server.json` now would be made from, without the digests of this release's files;
    /// `None` when the repository wants none.
    pub server_json: Option<Inputs>,
    /// Whether the extension's bundle folder holds exactly this release.
    pub bundle_in_place: bool,
    /// Whether `dist/` holds exactly this release, no file more or less.
    pub dist_in_place: bool,
}

/// Decides what a release still needs.
pub fn plan(observed: &Observed) -> Plan {
    let build = combine(
        made(observed, Kind::Wheel, observed.build.as_ref()),
        made(observed, Kind::Sdist, observed.build.as_ref()),
    );
    let requirements = made(observed, Kind::Requirements, Some(&observed.requirements));
    let fresh = combine(build.clone(), requirements.clone());
    let bundle = match (&observed.package, &fresh) {
        (Packaging::None, _) => no_extension(),
        (_, Action::Make(_)) => Action::Make("the wheel or its requirements are new".into()),
        _ if observed.bundle_in_place => Action::Keep("the folder holds these bytes".into()),
        _ => Action::Make("the folder does not hold these bytes".into()),
    };
    let audit = audit(observed);
    let package = package(observed, &fresh);
    let prove = prove(observed, &fresh);
    let bill = bill(observed, [&audit, &fresh, &package, &prove]);
    let server_json = server_json(observed, &prove);
    let steps = [
        (Step::Audit, audit),
        (Step::Build, build),
        (Step::Requirements, requirements),
        (Step::Bundle, bundle),
        (Step::Prove, prove),
        (Step::Package, package),
        (Step::Bill, bill),
        (Step::ServerJson, server_json),
    ];
    let any = steps
        .iter()
        .any(|(_, action)| matches!(action, Action::Make(_)));
    let stated = observed.manifest.as_ref();
    let stated = stated.is_some_and(|manifest| manifest.find(Kind::Provenance).is_some());
    let seal = match (any, observed.dist_in_place) {
        (true, _) => Action::Make("something in it is new".into()),
        (false, true) if !stated => Action::Make("no provenance of this release in dist/".into()),
        (false, true) => Action::Keep("dist/ holds exactly this release".into()),
        (false, false) => Action::Make("dist/ holds something else".into()),
    };
    let steps = steps.into_iter().chain([(Step::Seal, seal)]);
    Plan {
        steps: steps
            .map(|(step, action)| Planned { step, action })
            .collect(),
    }
}

impl Plan {
    /// Whether a step is to be done.
    pub fn makes(&self, step: Step) -> bool {
        let planned = self.steps.iter().find(|planned| planned.step == step);
        planned.is_some_and(|planned| matches!(planned.action, Action::Make(_)))
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|planned| matches!(planned.action, Action::Make(_)))
    }
}

/// The inputs of the extension package and of the proof once the files they carry are known.
pub fn with_files(inputs: &Inputs, manifest: &Manifest) -> Inputs {
    let mut inputs = inputs.clone();
    for artifact in &manifest.artifacts {
        if matches!(artifact.kind, Kind::Wheel | Kind::Requirements) {
            inputs.insert(artifact.kind.word().to_owned(), artifact.sha256.to_string());
        }
    }
    inputs
}

fn no_extension() -> Action {
    Action::Leave("release.toml has no [extension]".into())
}

fn made(observed: &Observed, kind: Kind, inputs: Option<&Inputs>) -> Action {
    let manifest = observed.manifest.as_ref();
    match manifest.and_then(|manifest| manifest.find(kind)) {
        None => Action::Make(format!("no {} of this commit in dist/", kind.word())),
        Some(artifact) => compare(&artifact.inputs, inputs),
    }
}

fn compare(recorded: &Inputs, now: Option<&Inputs>) -> Action {
    let Some(now) = now else {
        return Action::Make("its tools are not installed".into());
    };
    if recorded == now {
        return Action::Keep("same inputs, same digest".into());
    }
    let keys: Vec<&str> = recorded
        .keys()
        .chain(now.keys())
        .map(String::as_str)
        .collect();
    let differs = |key: &&str| recorded.get(*key) != now.get(*key);
    match keys.into_iter().find(differs) {
        Some(key) => {
            let show = |inputs: &Inputs| inputs.get(key).cloned().unwrap_or("nothing".into());
            Action::Make(format!("{key} was {}, is {}", show(recorded), show(now)))
        }
        None => Action::Make("its inputs are others".into()),
    }
}

/// Two files made by one step: both are kept or both are made.
fn combine(first: Action, second: Action) -> Action {
    match (first, second) {
        (Action::Make(why), _) | (_, Action::Make(why)) => Action::Make(why),
        (first, _) => first,
    }
}

fn prove(observed: &Observed, fresh: &Action) -> Action {
    if matches!(fresh, Action::Make(_)) {
        return Action::Make("the wheel or its requirements are new".into());
    }
    let Some(manifest) = &observed.manifest else {
        return Action::Make("no proof in dist/".into());
    };
    if manifest.find(Kind::Licenses).is_none() {
        return Action::Make("no licenses of what it installs in dist/".into());
    }
    match &manifest.proof {
        None => Action::Make("no proof of this wheel in dist/".into()),
        Some(proof) => {
            let now = observed
                .proof
                .as_ref()
                .map(|inputs| with_files(inputs, manifest));
            compare(&proof.inputs, now.as_ref())
        }
    }
}

fn audit(observed: &Observed) -> Action {
    match &observed.audit {
        Audited::LeftOut => Action::Leave("--without-audit".into()),
        Audited::Passed(inputs) => [Kind::Findings, Kind::FindingsSarif, Kind::FindingsMarkdown]
            .map(|kind| made(observed, kind, Some(inputs)))
            .into_iter()
            .reduce(combine)
            .expect("there are three forms"),
    }
}

/// A bill names every other file by its digest and the licenses that the proof has seen, so it is
/// new whenever one of them is.
fn bill(observed: &Observed, before: [&Action; 4]) -> Action {
    if before
        .iter()
        .any(|action| matches!(action, Action::Make(_)))
    {
        return Action::Make("it names the digests of files that are new".into());
    }
    let Some(manifest) = &observed.manifest else {
        return Action::Make("no sbom-cyclonedx of this commit in dist/".into());
    };
    let is_there = |kind: &Kind| manifest.find(*kind).is_some();
    if observed.audit == Audited::LeftOut && OF_AN_AUDIT.iter().any(is_there) {
        return Action::Make("what an earlier audit found is taken out".into());
    }
    let now = with_all_files(&observed.bill, manifest);
    let vex = match observed.audit {
        Audited::LeftOut => None,
        Audited::Passed(_) => Some(Kind::Vex),
    };
    [Kind::SbomCycloneDx, Kind::SbomSpdx]
        .into_iter()
        .chain(vex)
        .map(|kind| made(observed, kind, Some(&now)))
        .reduce(combine)
        .expect("there are two bills")
}

/// The inputs of a bill of materials once every file that it names is known.
pub fn with_all_files(inputs: &Inputs, manifest: &Manifest) -> Inputs {
    let mut inputs = with_files(inputs, manifest);
    for kind in [Kind::Sdist, Kind::Vsix, Kind::Licenses, Kind::Findings] {
        if let Some(artifact) = manifest.find(kind) {
            inputs.insert(kind.word().to_owned(), artifact.sha256.to_string());
        }
    }
    inputs
}

/// The inputs of a `server.json` once the files and the proof that it speaks of are known.
pub fn with_tools(inputs: &Inputs, manifest: &Manifest) -> Inputs {
    let mut inputs = with_files(inputs, manifest);
    if let Some(proof) = &manifest.proof {
        let digest = Digest::of(proof.tools.join("\n").as_bytes());
        inputs.insert("tools".to_owned(), digest.to_string());
    }
    inputs
}

fn server_json(observed: &Observed, prove: &Action) -> Action {
    let Some(inputs) = &observed.server_json else {
        return Action::Leave("release.toml has no [mcp]".into());
    };
    if matches!(prove, Action::Make(_)) {
        return Action::Make("it names the tools that the proof sees".into());
    }
    let manifest = observed.manifest.as_ref();
    let now = manifest.map(|manifest| with_tools(inputs, manifest));
    made(observed, Kind::ServerJson, now.as_ref())
}

fn package(observed: &Observed, fresh: &Action) -> Action {
    if observed.package == Packaging::None {
        return no_extension();
    }
    if matches!(fresh, Action::Make(_)) {
        return Action::Make("the wheel or its requirements are new".into());
    }
    let now = match (&observed.manifest, &observed.package) {
        (Some(manifest), Packaging::From(inputs)) => Some(with_files(inputs, manifest)),
        _ => None,
    };
    made(observed, Kind::Vsix, now.as_ref())
}

impl Step {
    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Step::Audit => "audit",
            Step::Build => "build",
            Step::Requirements => "requirements",
            Step::Bundle => "bundle",
            Step::Prove => "prove",
            Step::Package => "package",
            Step::Bill => "bill",
            Step::ServerJson => "server-json",
            Step::Seal => "seal",
        }
    }

    /// What the step does, in a few words.
    pub fn does(self) -> &'static str {
        match self {
            Step::Audit => "every lock file against the advisories",
            Step::Build => "wheel and sdist from the commit, through PEP 517",
            Step::Requirements => "requirements.txt from the lock file, with hashes",
            Step::Bundle => "the same wheel into the extension's bundle folder",
            Step::Prove => "install that wheel afresh, start it, talk MCP to it",
            Step::Package => "the .vsix, written deterministically, through the gate",
            Step::Bill => "bills of materials and VEX over everything above",
            Step::ServerJson => "server.json for MCP registries, held against their schema",
            Step::Seal => "notes, provenance, checksums, index and manifest into dist/",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Planned { step, action } in &self.steps {
            let (mark, word, because) = match action {
                Action::Keep(because) => ("=", "keep", because),
                Action::Make(because) => ("→", "make", because),
                Action::Leave(because) => ("-", "leave", because),
            };
            writeln!(formatter, "{mark} {:<12} {}", step.word(), step.does())?;
            writeln!(formatter, "{:15}{word}: {because}", "")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
