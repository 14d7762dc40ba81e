//! How every benchmark measures, and what each prints: the profile, the machine, raw times and
//! ratios. Nothing here asserts a time; a goal is printed beside what was measured.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What one run of a program took.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// From start to end, in seconds.
    pub wall: f64,
    /// User and system time of the program and of all it waited for, in seconds; `None` where
    /// the operating system is not asked. Other work on the machine disturbs it less.
    pub cpu: Option<f64>,
}

/// Several runs of the same.
#[derive(Debug, Default)]
pub struct Series(pub Vec<Sample>);

impl Series {
    /// Runs a program once more; it must succeed.
    pub fn run(&mut self, command: &mut Command) {
        self.run_ending(command, &[0]);
    }

    /// Runs a program once more, which must end with one of these codes.
    pub fn run_ending(&mut self, command: &mut Command, codes: &[i32]) {
        self.0.push(time_ending(command, codes));
    }

    /// The median wall time in seconds.
    pub fn wall(&self) -> f64 {
        median(self.0.iter().map(|sample| sample.wall).collect())
    }

    /// The smallest wall time in seconds.
    pub fn best(&self) -> f64 {
        let walls = self.0.iter().map(|sample| sample.wall);
        walls.fold(f64::INFINITY, f64::min)
    }

    /// The mean CPU time in seconds: it is counted in ticks, which only the sum evens out.
    pub fn cpu(&self) -> Option<f64> {
        let sum: Option<f64> = self.0.iter().map(|sample| sample.cpu).sum();
        #[expect(clippy::cast_precision_loss, reason = "there are few samples")]
        let count = self.0.len() as f64;
        sum.map(|sum| sum / count)
    }
}

/// The middle one, or the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Runs a program without showing its output; it must end with one of these codes.
pub fn time_ending(command: &mut Command, codes: &[i32]) -> Sample {
    timed(command, codes).0
}

/// The same, with the code it ended with.
pub fn timed(command: &mut Command, codes: &[i32]) -> (Sample, i32) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let (started, before) = (Instant::now(), cpu_of_children());
    let output = command.output();
    let wall = started.elapsed();
    let output = output.unwrap_or_else(|cause| panic!("{command:?}: {cause}"));
    let said = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().filter(|code| codes.contains(code));
    let code = code.unwrap_or_else(|| panic!("{command:?}: {said}"));
    let cpu = cpu_of_children()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before).as_secs_f64());
    let sample = Sample {
        wall: wall.as_secs_f64(),
        cpu,
    };
    (sample, code)
}

/// User and system time of all children that have ended (`proc_pid_stat(5)`, fields 16 and 17,
/// in hundredths of a second).
fn cpu_of_children() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold spaces.
    let (_, fields) = text.rsplit_once(')')?;
    let ticks: Vec<u64> = fields
        .split_whitespace()
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    Some(Duration::from_millis(10 * ticks.iter().sum::<u64>()))
}

/// Prints what is measured: the benchmark, the cargo profile of a program, the machine.
pub fn heading(name: &str, program: &Path) {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let (system, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    line(&format!("{name}: {}", profile(program)));
    line(&format!(
        "  machine   {cores} cores, {system} {architecture}, load {}",
        load()
    ));
}

/// The profile, by the folder cargo put the program into, with its settings.
fn profile(program: &Path) -> String {
    let folder = program.parent().and_then(Path::file_name);
    let name = match folder.and_then(std::ffi::OsStr::to_str) {
        Some("debug") => "dev",
        Some(name) => name,
        None => "unknown",
    };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let text = std::fs::read_to_string(manifest).expect("the workspace has a Cargo.toml");
    let workspace: toml::Table = text.parse().expect("cargo has read it too");
    let settings = workspace
        .get("profile")
        .and_then(|profiles| profiles.get(name));
    let settings = settings.map_or("cargo's own settings".to_owned(), |settings| {
        serde_json::to_string(settings).expect("TOML without dates is JSON")
    });
    format!("profile {name}: {settings}")
}

/// The load average of the last minute: what else the machine is doing.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Prints the times of a series.
pub fn times(what: &str, series: &Series) {
    let cpu = series
        .cpu()
        .map_or(String::new(), |cpu| format!(", mean {} CPU", seconds(cpu)));
    let walls: Vec<String> = series.0.iter().map(|it| seconds(it.wall)).collect();
    line(&format!(
        "  {what}: median {}, best {}{cpu}; all: {}",
        seconds(series.wall()),
        seconds(series.best()),
        walls.join(" ")
    ));
}

/// Prints what was measured beside what is aimed at.
pub fn goal(what: &str, measured: &str, goal: &str) {
    line(&format!("  ratio     {what}: {measured} (goal: {goal})"));
}

/// Seconds as people read them.
pub fn seconds(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Prints a line.
#[expect(
    clippy::disallowed_macros,
    reason = "a benchmark's output is its result"
)]
pub fn line(line: &str) {
    println!("{line}");
}
