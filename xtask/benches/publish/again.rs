//! A release that is published for the first time, and one that is there already.

use super::client::{Tool, Tools};
use super::job::{self, Family, Job};
use super::measure::{self, Series};

/// Each is one run of every program, in turn.
const ROUNDS: usize = 10;
const FIRSTS: usize = 5;

/// How much text is in the wheel, so that sending it is something.
const TEXT: usize = 2 << 20;

/// The codes with which programs end that find everything there.
const ENDS: [i32; 2] = [0, 1];

/// Those whose single command is timed.
fn timed(family: &Family, tools: &Tools) -> Vec<Row> {
    let mut timed = tools.available(family.tools);
    timed.retain(|tool| *tool != Tool::OursVerified);
    timed.into_iter().map(Row::of).collect()
}

/// What one program did.
struct Row {
    tool: Tool,
    series: Series,
    requests: usize,
    bytes: usize,
    uploads: usize,
    code: i32,
}

impl Row {
    fn of(tool: Tool) -> Row {
        Row {
            tool,
            series: Series::default(),
            requests: 0,
            bytes: 0,
            uploads: 0,
            code: 0,
        }
    }

    /// Runs the program once and keeps what it asked for.
    fn run(&mut self, family: &Family, tools: &Tools, job: &Job) {
        job.stand.forget();
        let mut command = tools.command(self.tool, job);
        let (sample, code) = measure::timed(&mut command, &ENDS);
        self.series.0.push(sample);
        let (method, path) = family.uploads;
        self.requests = job.stand.log().len();
        self.bytes = job.stand.received();
        self.uploads = job.stand.count(method, path);
        self.code = code;
    }
}

/// Everybody publishes to an empty registry.
pub fn first(family: &Family, tools: &Tools) {
    let release = job::release(&noise(TEXT));
    let mut rows = timed(family, tools);
    for _ in 0..FIRSTS {
        for row in &mut rows {
            row.run(family, tools, &Job::of(family, &release));
        }
    }
    print(&format!("{}, first publish", family.name), &rows);
}

/// Everybody publishes what is there.
pub fn second(family: &Family, tools: &Tools) {
    let job = Job::of(family, &job::release(&noise(TEXT)));
    let mut rows = timed(family, tools);
    Row::of(Tool::Ours).run(family, tools, &job);
    for _ in 0..ROUNDS {
        for row in &mut rows {
            row.run(family, tools, &job);
        }
    }
    print(&format!("{}, everything is there", family.name), &rows);
}

fn print(what: &str, rows: &[Row]) {
    measure::line("");
    for row in rows {
        measure::times(&format!("{what}: {}", row.tool.name()), &row.series);
    }
    measure::line(&format!(
        "\n| {what} | exit code | requests | sent | uploads | time, median | to ours |"
    ));
    measure::line("|---|---|---|---|---|---|---|");
    for row in rows {
        measure::line(&format!(
            "| {} | {} | {} | {} | {} | {} | {:.2} |",
            row.tool.name(),
            row.code,
            row.requests,
            size(row.bytes),
            row.uploads,
            measure::seconds(row.series.wall()),
            ratio(row, &rows[0]),
        ));
    }
}

/// How many times as long as ours, the median of the rounds.
fn ratio(row: &Row, ours: &Row) -> f64 {
    let pairs = row.series.0.iter().zip(&ours.series.0);
    measure::median(pairs.map(|(one, ours)| one.wall / ours.wall).collect())
}

/// Bytes as people read them.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        _ => {
            let tenths = bytes / 100_000;
            format!("{}.{} MB", tenths / 10, tenths % 10)
        }
    }
}

/// A comment of Python that no compression makes small, and the same each time.
fn noise(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::from("#");
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&format!("{state:016x}"));
    }
    text.push('\n');
    text
}
