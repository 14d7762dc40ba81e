//! The faults, each played at every request in turn, and how often a program ends wrong.
//!
//! A run that fails is followed by the same command again, up to three times, as when somebody
//! presses the button of a CI job. Before the third run minutes have gone by: what was taken is
//! visible.

use std::process::Child;
use std::time::Duration;

use super::client::{self, Tool, Tools};
use super::job::{self, Family, Job};
use super::measure;
use super::outcome::{Run, Tally};
use super::registries::front::Fault;
use super::stand::{Stand, truth};

/// How many more runs there are after a first that failed.
const RERUNS: usize = 3;

/// How many reads do not show yet what was taken.
const STALE: usize = 3;

/// More requests than anybody makes.
const ALWAYS: usize = 1_000_000;

/// What goes wrong.
enum Trouble {
    /// The request of the trial's number fails.
    Request(Fault),
    /// The program is killed when the request of the trial's number is done.
    Kill,
    /// Every download is damaged.
    Reads,
    /// Other bytes are there already: in the place of the file of the trial's number, and of all.
    Occupied,
    /// Nothing more than what the case says.
    Nothing,
}

/// A line of the table.
struct Case {
    name: &'static str,
    /// How many reads do not show what was taken.
    hidden: usize,
    trouble: Trouble,
}

fn cases() -> Vec<Case> {
    let request = |name, fault| Case {
        name,
        hidden: 0,
        trouble: Trouble::Request(fault),
    };
    let other = |name, hidden, trouble| Case {
        name,
        hidden,
        trouble,
    };
    let again = Some("0".to_owned());
    let late = Fault::Latency(Duration::from_millis(300));
    let taken = || Trouble::Request(Fault::StatusAfter(502));
    vec![
        request("latency", late),
        request("429", Fault::Status(429, again)),
        request("500", Fault::Status(500, None)),
        request("502 after the commit", Fault::StatusAfter(502)),
        request("cut before the commit", Fault::CutBefore),
        request("cut after the commit", Fault::CutAfter),
        other("stale index", STALE, Trouble::Nothing),
        other("502 after the commit, stale index", STALE, taken()),
        other("wrong digest on read-back", 0, Trouble::Reads),
        other("killed", 0, Trouble::Kill),
        other("killed, stale index", STALE, Trouble::Kill),
        other("other bytes are there", 0, Trouble::Occupied),
    ]
}

/// Prints what came of every fault for every program.
pub fn table(family: &Family, tools: &Tools) {
    let mut programs = tools.available(family.tools);
    // It sends and reads as the other one does.
    programs.retain(|tool| *tool != Tool::OursByName);
    let names: Vec<&str> = programs.iter().map(|tool| tool.name()).collect();
    measure::line(&format!("\n| {} | {} |", family.name, names.join(" | ")));
    measure::line(&format!("|---|{}", "---|".repeat(names.len())));
    let mut all: Vec<Vec<Tally>> = vec![Vec::new(); programs.len()];
    for case in cases() {
        let mut cells = Vec::new();
        for (tool, tallies) in programs.iter().zip(&mut all) {
            let tally = tally(family, tools, *tool, &case);
            cells.push(tally.cell());
            tallies.push(tally);
        }
        measure::line(&format!("| {} | {} |", case.name, cells.join(" | ")));
    }
    let wrong = |tallies: &Vec<Tally>| {
        let wrong: usize = tallies.iter().map(Tally::wrong).sum();
        let trials: usize = tallies.iter().map(Tally::trials).sum();
        let faults = tallies.iter().filter(|tally| tally.wrong() > 0).count();
        format!(
            "{wrong} of {trials}, under {faults} of {} faults",
            tallies.len()
        )
    };
    let alarms = |tallies: &Vec<Tally>| {
        let sum: usize = tallies.iter().map(|tally| tally.false_alarms).sum();
        sum.to_string()
    };
    let row = |name: &str, cell: &dyn Fn(&Vec<Tally>) -> String| {
        let cells: Vec<String> = all.iter().map(cell).collect();
        measure::line(&format!("| {name} | {} |", cells.join(" | ")));
    };
    row("**wrong**", &wrong);
    row("false alarms", &alarms);
}

fn tally(family: &Family, tools: &Tools, tool: Tool, case: &Case) -> Tally {
    let mut tally = Tally::default();
    while let Some(runs) = trial(family, tools, tool, case, tally.trials()) {
        tally.add(&runs);
    }
    assert!(tally.trials() > 0, "{}: no request at all", case.name);
    tally
}

/// One release brought to one registry; nothing when there is no trial of this number.
fn trial(
    family: &Family,
    tools: &Tools,
    tool: Tool,
    case: &Case,
    number: usize,
) -> Option<Vec<Run>> {
    let job = Job::of(family, &job::release(""));
    prepare(family, &job, case, number)?;
    job.stand.forget();
    let code = match case.trouble {
        Trouble::Kill => {
            killed(&job, tools, tool)?;
            None
        }
        _ => client::run(tools, tool, &job),
    };
    if matches!(case.trouble, Trouble::Request(_)) && job.stand.log().len() <= number {
        // The run ended before it came to that request.
        return None;
    }
    let observe = |code| Run {
        code,
        truth: truth(&*job.stand, &job.expected),
    };
    let mut runs = vec![observe(code)];
    for rerun in 0..RERUNS {
        if runs.last().is_some_and(|run| run.code == Some(0)) {
            break;
        }
        if rerun > 0 {
            job.stand.show();
        }
        runs.push(observe(client::run(tools, tool, &job)));
    }
    Some(runs)
}

/// Makes wrong what is to go wrong; nothing when there is no trial of this number.
fn prepare(family: &Family, job: &Job, case: &Case, number: usize) -> Option<()> {
    let stand: &dyn Stand = &*job.stand;
    stand.hide(case.hidden);
    match &case.trouble {
        Trouble::Request(fault) => {
            // Those before it take no time and are done.
            stand.fail(None, "", Fault::Latency(Duration::ZERO), number);
            stand.fail(None, "", fault.clone(), 1);
        }
        Trouble::Kill => stand.hold_at(number),
        Trouble::Reads => stand.fail(
            Some("GET"),
            family.files_at,
            Fault::WrongBytes,
            only_once(number, ALWAYS)?,
        ),
        Trouble::Occupied => {
            let files = &job.expected;
            match files.get(number) {
                Some(file) => stand.occupy(file),
                None if number == files.len() && number > 1 => {
                    files.iter().for_each(|file| stand.occupy(file));
                }
                None => return None,
            }
        }
        Trouble::Nothing => only_once(number, ())?,
    }
    Some(())
}

/// The value for the first trial, when there is one alone.
fn only_once<T>(number: usize, value: T) -> Option<T> {
    (number == 0).then_some(value)
}

/// Starts a program and kills it when the request that is held is done; nothing when it ends
/// before.
fn killed(job: &Job, tools: &Tools, tool: Tool) -> Option<()> {
    let mut child = tools.command(tool, job).spawn().unwrap();
    let mut ended = || child.try_wait().unwrap().is_some();
    let held = job.stand.held_unless(&mut ended);
    kill(child);
    job.stand.release();
    held.then_some(())
}

/// SIGKILL, and the end of it.
fn kill(mut child: Child) {
    // One that has ended by itself needs no ending.
    drop(child.kill());
    child.wait().unwrap();
}
