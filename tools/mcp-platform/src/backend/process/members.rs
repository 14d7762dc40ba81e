//! Which processes belong to an instance, and how they are ended. The system is asked every time:
//! a number that was given to another program meanwhile is never signalled.
//!
//! An instance carries a mark in its environment, which its children inherit, also those that
//! leave its process group (kernels do).

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The variable that carries the mark.
pub const MARK: &str = "MCP_PLATFORM_MARK";

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pid: i32,
    /// When it was started, in ticks since the system's start: tells it from a later process of
    /// the same number.
    started: u64,
}

/// What `/proc/<pid>/stat` says.
struct Stat {
    parent: i32,
    group: i32,
    started: u64,
    /// Resident pages.
    pages: u64,
    over: bool,
}

fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces and parentheses (proc(5)).
    let rest = text.rsplit_once(')')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
    Some(Stat {
        over: matches!(fields.first(), Some(&"Z" | &"X")),
        parent: number(1)? as i32,
        group: number(2)? as i32,
        started: number(19)?,
        pages: number(21)?,
    })
}

fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Marks end with a full stop, so that one is never the beginning of another, and those of a server
/// begin with that of the server.
fn marked(pid: i32, mark: &str) -> bool {
    let wanted = format!("{MARK}={mark}");
    fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|variable| variable.starts_with(wanted.as_bytes()))
    })
}

/// The mark that a process carries.
pub fn mark_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let prefix = format!("{MARK}=");
    let mut variables = environment.split(|byte| *byte == 0);
    let found = variables.find_map(|variable| variable.strip_prefix(prefix.as_bytes()))?;
    String::from_utf8(found.to_vec()).ok()
}

/// A process and its descendants, without those that left it.
pub fn tree(root: i32) -> Vec<Member> {
    let all = living();
    collect(&all, BTreeSet::from([root]))
}

/// The living processes whose mark begins so, are in the process group of the leader, or descend from
/// such; our own process is not among them.
pub fn members(mark: &str, leader: Option<i32>) -> Vec<Member> {
    let all = living();
    let found = all
        .iter()
        .filter(|(pid, stat)| {
            leader.is_some_and(|leader| stat.group == leader) || marked(*pid, mark)
        })
        .map(|(pid, _)| *pid)
        .collect();
    collect(&all, found)
}

fn living() -> Vec<(i32, Stat)> {
    let own = std::process::id() as i32;
    pids()
        .into_iter()
        .filter(|pid| *pid != own && *pid > 1)
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .filter(|(_, stat)| !stat.over)
        .collect()
}

/// Those that were found, and all that descend from them.
fn collect(all: &[(i32, Stat)], mut found: BTreeSet<i32>) -> Vec<Member> {
    loop {
        let more: Vec<i32> = all
            .iter()
            .filter(|(pid, stat)| !found.contains(pid) && found.contains(&stat.parent))
            .map(|(pid, _)| *pid)
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    all.iter()
        .filter(|(pid, _)| found.contains(pid))
        .map(|(pid, stat)| Member {
            pid: *pid,
            started: stat.started,
        })
        .collect()
}

/// Signals those that are still the same processes; says how many.
pub fn signal(members: &[Member], signal: Signal) -> usize {
    members
        .iter()
        .filter(|member| alive(member) && kill(Pid::from_raw(member.pid), signal).is_ok())
        .count()
}

/// Whether it is still the same process and not over.
pub fn alive(member: &Member) -> bool {
    stat(member.pid).is_some_and(|stat| stat.started == member.started && !stat.over)
}

/// Whether they hold more memory together than so many bytes. Pages that several share count once,
/// in parts (proc(5), `Pss`); only asked for when the plain numbers are beyond the limit.
pub fn exceed(members: &[Member], limit: u64) -> bool {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| u64::try_from(size).ok())
        .unwrap_or(4096);
    let resident = |member: &Member| stat(member.pid).map_or(0, |stat| stat.pages * page);
    if members.iter().map(resident).sum::<u64>() <= limit {
        return false;
    }
    let share = |member: &Member| proportional(member.pid).unwrap_or_else(|| resident(member));
    members.iter().map(share).sum::<u64>() > limit
}

fn proportional(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// Whether a living process carries the mark.
pub fn is_marked(pid: i32, mark: &str) -> bool {
    stat(pid).is_some_and(|stat| !stat.over) && marked(pid, mark)
}

/// Takes note of the end of processes that were left to us by their parents; not of our own
/// children, whose number is in `leaders`.
pub fn reap(leaders: &[i32]) {
    let own = std::process::id() as i32;
    for pid in pids() {
        let left = stat(pid).is_some_and(|stat| stat.over && stat.parent == own);
        if left && !leaders.contains(&pid) {
            let _ = nix::sys::wait::waitpid(
                Pid::from_raw(pid),
                Some(nix::sys::wait::WaitPidFlag::WNOHANG),
            );
        }
    }
}

impl Member {
    /// Its number.
    pub fn number(self) -> i32 {
        self.pid
    }
}
