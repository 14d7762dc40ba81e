//! What this machine is, and which interpreters it has.

use std::collections::BTreeMap;

use crate::tools::python::Interpreter;
use crate::tools::{Version, node};
use crate::workflow::Workflow;
use crate::workflow::local::{Emulation, How, Machine, emulation};
use crate::workflow::model::{Action, Job, Step};
use crate::world::World;

/// Names that interpreters go by; the first is what a script gets without being asked.
const PYTHONS: [&str; 9] = [
    "python3",
    "python",
    "python3.15",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
];

/// Looks; interpreters only when a step asks for one.
pub fn observe(
    world: &World,
    workflow: &Workflow,
    actions: &BTreeMap<String, Action>,
) -> (Machine, Vec<Interpreter>) {
    let jobs = workflow.jobs.iter().flat_map(Job::steps);
    let steps: Vec<&Step> = jobs
        .chain(actions.values().flat_map(|action| &action.steps))
        .collect();
    let asks = |wanted: Emulation| {
        steps
            .iter()
            .any(|step| emulation::how(step, &|_| false) == How::Emulated(wanted))
    };
    let pythons = match asks(Emulation::Python) {
        true => pythons(world),
        false => Vec::new(),
    };
    let node = asks(Emulation::Node)
        .then(|| node::on_path(world))
        .flatten();
    let machine = Machine {
        system: match std::env::consts::OS {
            "macos" => "macOS",
            "windows" => "Windows",
            _ => "Linux",
        },
        architecture: match std::env::consts::ARCH {
            "aarch64" => "ARM64",
            _ => "X64",
        },
        pythons: pythons.iter().map(|found| found.version).collect(),
        node,
    };
    (machine, pythons)
}

fn pythons(world: &World) -> Vec<Interpreter> {
    let found: Vec<Option<Interpreter>> = std::thread::scope(|scope| {
        let asked: Vec<_> = PYTHONS
            .iter()
            .map(|name| scope.spawn(|| python(world, name)))
            .collect();
        let found = asked.into_iter().map(|thread| thread.join().ok().flatten());
        found.collect()
    });
    let mut pythons: Vec<Interpreter> = Vec::new();
    for python in found.into_iter().flatten() {
        if !pythons.iter().any(|known| known.version == python.version) {
            pythons.push(python);
        }
    }
    pythons
}

fn python(world: &World, name: &str) -> Option<Interpreter> {
    let script = "import sys; print(sys.version.split()[0]); print(sys.executable)";
    let output = world.command(name).args(["-c", script]).output().ok()?;
    let mut lines = output.stdout.lines();
    let version = Version::find(lines.next()?)?;
    let path = lines.next()?.into();
    output
        .status
        .success()
        .then_some(Interpreter { path, version })
}
