//! Performing a release plan: the one place where its steps are done.
//!
//! Independent work runs side by side: the build beside the extension's dependencies and the
//! environment for the proof, then the proof beside the packaging. Nothing outside the stage is
//! written before every step has held; then the bundle folder and `dist/` are swapped.

pub mod advisories;
pub mod audit;
pub mod build;
pub mod bump;
pub mod bundle;
pub mod changelog;
pub mod ci;
pub mod documents;
pub mod environment;
pub mod gate;
pub mod image;
pub mod inspect;
pub mod license;
pub mod lint;
pub mod live;
pub mod package;
pub mod publish;
pub mod seal;
pub mod server_json;
pub mod sync;
pub mod version;
pub mod workflows;

use camino::Utf8Path;
use tempfile::TempDir;

use crate::artifact::{Kind, Proof};
use crate::audit::examine::Subject;
use crate::audit::report::Report;
use crate::config::Config;
use crate::dist::Release;
use crate::error::{Context, Error, Result};
use crate::plan::{Inputs, OF_AN_AUDIT, Plan, Step, with_files};
use crate::product::bundle::REQUIREMENTS_FILE;
use crate::product::server_json::Facts;
use crate::product::vsix::Dependencies;
use crate::prove::{self, Outcome, Prepared};
use crate::source::{Checkout, Tree};
use crate::stage::Stage;
use crate::tools::Version;
use crate::tools::node::{self, Node};
use crate::tools::python::Environment;
use crate::world::{World, files};

/// What every step needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Work<'run> {
    /// The world.
    pub world: &'run World,
    /// The configuration.
    pub config: &'run Config,
    /// What git says.
    pub checkout: &'run Checkout,
    /// Which tree is released.
    pub tree: Tree,
    /// The lock files of the repository.
    pub locks: &'run Subject,
    /// What the audit of them found; `None` when it was left out.
    pub findings: Option<&'run Report>,
    /// What `server.json` will say; `None` when `release.toml` has no `[mcp]`.
    pub server_json: Option<&'run Facts<'run>>,
}

/// Does what the plan says, then puts the result in place.
///
/// # Errors
/// The first step that does not hold; nothing has then been written outside the stage.
pub fn perform(work: &Work<'_>, plan: &Plan, resumed: Option<Release>) -> Result<Release> {
    let world = work.world;
    let tools = build::requirements(world, work.config, work.checkout, work.tree)?;
    let environment = build::environment(world, &tools)?;
    let requirements = requirements(work, plan, resumed.as_ref())?;
    let stage = Stage::open(world, work.checkout, work.tree)?;
    let ready = make_ready(work, plan, &stage, &environment, &requirements)?;
    let mut release = match (ready.made, resumed) {
        (Some(made), resumed) => build::collect(resumed, made, work.checkout, work.tree),
        (None, Some(release)) => release,
        (None, None) => return Err(Error::failure("the plan keeps a wheel that is not there")),
    };
    if plan.makes(Step::Requirements) {
        let (artifact, bytes) = bundle::sealed_requirements(work.config, requirements, &release);
        world
            .terminal
            .done("requirements", &build::describe(&artifact));
        release.put(artifact, bytes);
    }
    server_json::require_marker(work, &release)?;
    let tools = ready.tools.as_ref();
    prove_and_package(
        work,
        &stage,
        &environment,
        ready.ground,
        tools,
        &mut release,
    )?;
    drop(ready.tools);
    describe(work, plan, &mut release)?;
    seal::notes(work, &mut release)?;
    seal::provenance(work, &mut release);
    world.check_interrupted()?;
    if let Some(extension) = &work.config.extension {
        bundle::place(world, work.config, extension, &release)?;
    }
    release.write(world)?;
    Ok(release)
}

/// What must be there before anything can be proved or packaged.
struct Ready {
    /// Wheel and sdist, when they are made anew.
    made: Option<build::Made>,
    /// What packages the extension.
    tools: Option<ExtensionTools>,
    /// Where the wheel is proved.
    ground: Option<Ground>,
}

/// Node.js and `node_modules`, lent to the stage while the extension is packaged.
struct ExtensionTools {
    node: Node,
    _dependencies: Dependencies,
}

/// A temporary folder that holds what is proved and nothing else.
struct Ground {
    folder: TempDir,
    prepared: Prepared,
}

/// The requirements of the release, made or kept; a stale lock file is found before any work.
fn requirements(work: &Work<'_>, plan: &Plan, resumed: Option<&Release>) -> Result<String> {
    if let Some(release) = resumed
        && !plan.makes(Step::Requirements)
    {
        let (_, bytes) = release.only(Kind::Requirements)?;
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    bundle::locked_requirements(work.world, &work.config.server, work.checkout, work.tree)
}

/// Does side by side what needs nothing but the commit: the build, the extension's
/// dependencies, and the environment for the proof.
fn make_ready(
    work: &Work<'_>,
    plan: &Plan,
    stage: &Stage,
    environment: &Environment,
    requirements: &str,
) -> Result<Ready> {
    let Work {
        world,
        config,
        checkout,
        tree,
        ..
    } = *work;
    std::thread::scope(|scope| {
        let tools = scope.spawn(|| extension_tools(work, plan, stage));
        let ground = scope.spawn(|| {
            let prove = plan.makes(Step::Prove);
            prove
                .then(|| Ground::prepare(world, requirements.as_bytes(), &environment.python))
                .transpose()
        });
        let made = plan
            .makes(Step::Build)
            .then(|| build::perform(world, config, environment, checkout, stage, tree));
        let tools = tools.join().expect("installing tools does not panic");
        let ground = ground
            .join()
            .expect("preparing an environment does not panic");
        Ok(Ready {
            made: made.transpose()?,
            tools: tools?,
            ground: ground?,
        })
    })
}

fn extension_tools(work: &Work<'_>, plan: &Plan, stage: &Stage) -> Result<Option<ExtensionTools>> {
    let Some(extension) = work
        .config
        .extension
        .as_ref()
        .filter(|_| plan.makes(Step::Package))
    else {
        return Ok(None);
    };
    let node = node::node(work.world)?;
    let folder = stage.root.join(&extension.path);
    let dependencies = Dependencies::lend(work.world, &node, &folder)?;
    Ok(Some(ExtensionTools {
        node,
        _dependencies: dependencies,
    }))
}

fn prove_and_package(
    work: &Work<'_>,
    stage: &Stage,
    environment: &Environment,
    ground: Option<Ground>,
    tools: Option<&ExtensionTools>,
    release: &mut Release,
) -> Result<()> {
    let Work { world, config, .. } = *work;
    let licenses = ground
        .as_ref()
        .map(|ground| license::installed(&ground.prepared.folder(), work.locks));
    let (proof, packaged) = std::thread::scope(|scope| {
        let current: &Release = release;
        let proof = scope.spawn(|| {
            ground
                .map(|ground| {
                    let outcome = ground.examine(world, config, current)?;
                    proof(config, environment.version, current, outcome)
                })
                .transpose()
        });
        let packaged = match (&config.extension, tools) {
            (Some(extension), Some(tools)) => package::prepare(config, extension, stage, current)
                .and_then(|()| {
                    package::perform(world, config, extension, &tools.node, stage, current)
                        .map(Some)
                }),
            _ => Ok(None),
        };
        (proof.join().expect("proving does not panic"), packaged)
    });
    if let Some(proof) = proof? {
        release.put_proof(proof);
    }
    if let Some(licenses) = licenses {
        documents::put_licenses(&licenses, release);
    }
    if let Some((artifact, bytes)) = packaged? {
        release.put(artifact, bytes);
    }
    Ok(())
}

impl Ground {
    /// Installs requirements where a wheel will be tried.
    fn prepare(world: &World, requirements: &[u8], python: &Utf8Path) -> Result<Ground> {
        prove::sweep(world)?;
        let parent = world.private();
        let folder = tempfile::Builder::new()
            .prefix(prove::PREFIX)
            .tempdir_in(&parent)
            .doing(|| format!("create a folder in {parent}"))?;
        let file = path(&folder).join(REQUIREMENTS_FILE);
        files::write(&file, requirements)?;
        let prepared = prove::prepare(world, &file, python)?;
        Ok(Ground { folder, prepared })
    }

    /// Tries the release's own bytes.
    fn examine(self, world: &World, config: &Config, release: &Release) -> Result<Outcome> {
        let (wheel, bytes) = release.only(Kind::Wheel)?;
        let wheel = path(&self.folder).join(&wheel.path);
        files::write(&wheel, bytes)?;
        prove::examine_prepared(world, config, self.prepared, &wheel)
    }
}

fn path(folder: &TempDir) -> &Utf8Path {
    Utf8Path::from_path(folder.path()).expect("the private folder is UTF-8")
}

/// Tries the release's own bytes, from a temporary folder that holds nothing else.
///
/// # Errors
/// Nothing could be tried; what does not hold is in the outcome.
pub fn examine(
    world: &World,
    config: &Config,
    python: &Utf8Path,
    release: &Release,
) -> Result<Outcome> {
    let (_, requirements) = release.only(Kind::Requirements)?;
    Ground::prepare(world, requirements, python)?.examine(world, config, release)
}

/// The evidence for a release, when everything held.
///
/// # Errors
/// All that did not hold, in one error.
pub fn proof(
    config: &Config,
    python: Version,
    release: &Release,
    outcome: Outcome,
) -> Result<Proof> {
    let tools = outcome.tools.clone();
    let checks = outcome.into_checks()?;
    Ok(Proof {
        wheel: release.manifest.only(Kind::Wheel)?.sha256.clone(),
        requirements: release.manifest.only(Kind::Requirements)?.sha256.clone(),
        inputs: with_files(&proof_inputs(config, python), &release.manifest),
        checks,
        tools,
    })
}

/// What a proof depends on beside the files that are proved.
pub fn proof_inputs(config: &Config, python: Version) -> Inputs {
    Inputs::from([
        ("settings".to_owned(), prove::settings(config).to_string()),
        ("python".to_owned(), python.to_string()),
        ("revision".to_owned(), prove::REVISION.to_owned()),
    ])
}

/// Puts in what the audit found and what everything is made of. Only now all licenses are known.
///
/// # Errors
/// The policy denies one of them.
fn describe(work: &Work<'_>, plan: &Plan, release: &mut Release) -> Result<()> {
    let report = work.findings.cloned().map(|mut report| {
        let known = license::of_release(work.locks, release);
        audit::judge_licenses(work.config, work.locks, &known, &mut report);
        report
    });
    match &report {
        Some(report) => {
            audit::require_passing(report).inspect_err(|_| audit::say_text(work.world, report))?;
            documents::put_findings(report, release);
        }
        None => release.take_out(&OF_AN_AUDIT),
    }
    if plan.makes(Step::Bill) {
        documents::put_bills(work, report.as_ref(), release);
        if let Some(bill) = release.manifest.find(Kind::SbomCycloneDx) {
            let world = work.world;
            world.terminal.done("bill", &build::describe(bill));
        }
    }
    match work.server_json {
        Some(_) if !plan.makes(Step::ServerJson) => Ok(()),
        Some(facts) => server_json::put(work.world, facts, release),
        None => {
            release.take_out(&[Kind::ServerJson]);
            Ok(())
        }
    }
}
