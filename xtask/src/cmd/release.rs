//! `release`: everything, in order, from one commit into `dist/`.

use clap::Args;

use super::plan::Narrow;
use crate::artifact::Kind;
use crate::audit::examine::Subject;
use crate::audit::report::Report;
use crate::config::Config;
use crate::dist::Release;
use crate::error::{self, Error, Result};
use crate::exec;
use crate::exec::advisories::Wanted;
use crate::github::{output, summary};
use crate::plan::{self, Audited, Observed, Packaging, Plan};
use crate::product::{bundle, wheel};
use crate::source::{self, Checkout, Tree};
use crate::tools::{node, python};
use crate::world::World;
use crate::world::lock::Lock;

/// Arguments of `release`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Print what would be done and why, and do nothing
    #[arg(long)]
    plan: bool,
    /// Release the working tree instead of the commit; the result can never be published
    #[arg(long)]
    dirty: bool,
    /// Do not hold the lock files against the advisories; the manifest then names no findings
    #[arg(long)]
    without_audit: bool,
    /// Bring the advisory database up to date first
    #[arg(long, conflicts_with_all = ["without_audit", "plan"])]
    update: bool,
    /// Afterwards, plan publishing to this profile of release.toml
    #[arg(long, value_name = "PROFILE", conflicts_with_all = ["plan", "dirty"])]
    to: Option<String>,
    /// Publish; without this the plan for it is printed and nothing is sent
    #[arg(long, requires = "to")]
    execute: bool,
}

/// Plans, performs and seals a release.
///
/// # Errors
/// Whatever keeps one of its steps from holding; `dist/` then stays as it was.
pub fn run(world: &World, arguments: &Arguments) -> Result<()> {
    let config = super::configuration(world)?;
    if let Some(profile) = &arguments.to {
        // A wrong name is said before the work, not after it.
        exec::publish::profile(&config, profile)?;
    }
    let tree = Tree::of(arguments.dirty);
    let _lock = match arguments.plan {
        true => None,
        false => Some(Lock::take(world, "release")?),
    };
    let checkout = source::observe(world)?;
    source::require_clean(&checkout, tree)?;
    require_history(&checkout)?;
    super::build::note_untracked(world, &checkout, tree);
    let resumed = Release::resume(world, &checkout.source(tree))?;
    let mut locks = exec::audit::inventory(world, &config, &[])?;
    if tree == Tree::Head {
        // They are not in the commit, so nothing that is made from it may speak of them.
        let in_commit = |path: &String| !checkout.untracked.contains(path);
        locks.skipped.retain(|lock| in_commit(&lock.path));
    }
    let facts = exec::server_json::facts(world, &config, &checkout, tree)?;
    let findings = findings(world, &config, &locks, resumed.as_ref(), arguments)?;
    let work = exec::Work {
        world,
        config: &config,
        checkout: &checkout,
        tree,
        locks: &locks,
        findings: findings.as_ref(),
        server_json: facts.as_ref(),
    };
    let plan = plan::plan(&observe(&work, resumed.as_ref())?);
    if arguments.plan {
        show(world, &plan);
        return Ok(());
    }
    let release = match resumed {
        Some(release) if plan.is_empty() => {
            world.terminal.same("release", &summary(&release));
            release
        }
        resumed => {
            let release = exec::perform(&work, &plan, resumed)?;
            world.terminal.done("release", &summary(&release));
            release
        }
    };
    world.summarise(|| summary::release(&release.manifest));
    world.set_outputs(|| output::release(&release.manifest));
    let Some(profile) = &arguments.to else {
        world.terminal.json(&release.manifest);
        return Ok(());
    };
    let published = match arguments.execute {
        true => super::publish::execute(world, &config, profile, &Narrow::default())?,
        false => super::plan::look(world, &config, profile, &Narrow::default())?,
    };
    world.terminal.json(&serde_json::json!({
        "schema": 1,
        "manifest": release.manifest,
        "published": published.json,
    }));
    published.outcome
}

/// Audits before anything is built. A plan is shown even when the release would be refused.
fn findings(
    world: &World,
    config: &Config,
    locks: &Subject,
    resumed: Option<&Release>,
    arguments: &Arguments,
) -> Result<Option<Report>> {
    if arguments.without_audit {
        let text = "the audit was left out: nothing is known about advisories, and the manifest \
                    names no findings";
        world.terminal.warn(text);
        return Ok(None);
    }
    let wanted = match arguments.update {
        true => Wanted::Updated,
        false => Wanted::Stored,
    };
    let mut report = exec::audit::audit(world, config, wanted, locks).map_err(|error| {
        let is_database = error.kind == error::Kind::Database;
        match is_database {
            true => error.hint("to release without an audit: --without-audit"),
            false => error,
        }
    })?;
    // Licenses are known once the requirements are installed; a new release judges them then.
    if let Some(release) = resumed.filter(|release| release.only(Kind::Licenses).is_ok()) {
        let known = exec::license::of_release(locks, release);
        exec::audit::judge_licenses(config, locks, &known, &mut report);
    }
    if !arguments.plan {
        exec::audit::tell_actions(world, &report);
    }
    match exec::audit::require_passing(&report) {
        Ok(()) => exec::audit::sum_up(world, &report),
        Err(error) if arguments.plan => world.terminal.warn(&error.message),
        Err(error) => {
            exec::audit::say_text(world, &report);
            return Err(error);
        }
    }
    Ok(Some(report))
}

/// The notes name what changed since the last release, which a shallow clone cannot know.
fn require_history(checkout: &Checkout) -> Result<()> {
    if !checkout.shallow {
        return Ok(());
    }
    Err(Error::precondition(
        "this is a shallow clone: the commits since the last release are missing",
    )
    .hint("fetch them: git fetch --unshallow --tags")
    .hint("in GitHub Actions: actions/checkout with `fetch-depth: 0`"))
}

fn show(world: &World, plan: &Plan) {
    world.terminal.text(&plan.to_string());
    world
        .terminal
        .json(&serde_json::json!({ "schema": 1, "plan": plan }));
}

fn summary(release: &Release) -> String {
    let manifest = &release.manifest;
    let wheel = manifest
        .only(Kind::Wheel)
        .map(|wheel| wheel.sha256.short())
        .unwrap_or_default();
    format!(
        "{} {} from {:.12}  {} artifacts in dist/  wheel {wheel}",
        manifest.name,
        manifest.version,
        manifest.source.commit,
        manifest.artifacts.len(),
    )
}

/// Looks at everything the decision needs; runs nothing slower than `node --version`.
fn observe(work: &exec::Work<'_>, resumed: Option<&Release>) -> Result<Observed> {
    let exec::Work {
        world,
        config,
        checkout,
        tree,
        ..
    } = *work;
    let tools = exec::build::requirements(world, config, checkout, tree)?;
    let environment = python::existing(world, "build", &tools);
    let source = checkout.source(tree);
    let package = match &config.extension {
        None => Packaging::None,
        Some(extension) => node::available(world).map_or(Packaging::NoNode, |node| {
            Packaging::From(exec::package::inputs(extension, &node, &source))
        }),
    };
    let bundle_in_place = match (resumed, &config.extension) {
        (Some(release), Some(extension)) => {
            let folder = world.root.join(&extension.path).join(&extension.bundle);
            bundle::contents(release, &config.server.console_script)
                .is_ok_and(|contents| bundle::is_in_place(&folder, &contents))
        }
        _ => false,
    };
    Ok(Observed {
        audit: match work.findings {
            None => Audited::LeftOut,
            Some(report) => Audited::Passed(exec::documents::findings_inputs(report)),
        },
        bill: exec::documents::bill_inputs(work.locks),
        manifest: resumed.map(|release| release.manifest.clone()),
        build: environment
            .as_ref()
            .map(|environment| wheel::inputs(environment, &source)),
        requirements: exec::bundle::requirements_inputs(&config.server, &checkout.commit),
        package,
        proof: environment
            .as_ref()
            .map(|environment| exec::proof_inputs(config, environment.version)),
        server_json: work
            .server_json
            .map(|_| exec::server_json::inputs(&checkout.commit)),
        bundle_in_place,
        dist_in_place: match resumed {
            Some(release) => release.is_in_place(world)?,
            None => false,
        },
    })
}
