//! What came of a run.

use serde::Serialize;

/// How a step or a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Well.
    Success,
    /// It failed.
    Failure,
    /// Its condition did not hold, or something before it failed.
    Skipped,
    /// Nothing here can do it.
    NotRun,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub place: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether something stood in for it.
    pub emulated: bool,
    /// Why, for what did not end well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One leg of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// The job's key.
    pub id: String,
    /// What the leg is called.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether the workflow goes on when it fails.
    pub tolerated: bool,
    /// Its steps.
    pub steps: Vec<StepReport>,
    /// What the steps wrote for the summary.
    pub summary: String,
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// The legs, in the order they ran.
    pub jobs: Vec<JobReport>,
}

impl Report {
    /// What failed, each naming job, place, step and exit code.
    pub fn failures(&self) -> Vec<String> {
        let failed = |job: &&JobReport| job.outcome == Outcome::Failure && !job.tolerated;
        let jobs = self.jobs.iter().filter(failed);
        jobs.map(|job| {
            let step = job
                .steps
                .iter()
                .find(|step| step.outcome == Outcome::Failure);
            match step {
                Some(step) => {
                    let detail = step.detail.as_deref().unwrap_or("failed");
                    format!("job {}: {}: {}: {detail}", job.name, step.place, step.name)
                }
                None => format!(
                    "job {}: {}",
                    job.name,
                    job.detail.as_deref().unwrap_or("failed")
                ),
            }
        })
        .collect()
    }

    /// One line; what was not run is always in it.
    pub fn summary(&self) -> String {
        let jobs = self
            .jobs
            .iter()
            .filter(|job| job.outcome != Outcome::NotRun);
        let ran = |job: &&JobReport| matches!(job.outcome, Outcome::Success | Outcome::Failure);
        let (ran, skipped): (Vec<&JobReport>, Vec<&JobReport>) = jobs.partition(ran);
        let steps = || ran.iter().flat_map(|job| &job.steps);
        let count = |outcome: Outcome, emulated: bool| {
            steps()
                .filter(|step| step.outcome == outcome && step.emulated == emulated)
                .count()
        };
        let done = count(Outcome::Success, false) + count(Outcome::Failure, false);
        let emulated = count(Outcome::Success, true) + count(Outcome::Failure, true);
        let skipped_steps = count(Outcome::Skipped, false) + count(Outcome::Skipped, true);
        let left = count(Outcome::NotRun, false);
        let other = self.jobs.len() - ran.len() - skipped.len();
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        format!(
            "{} run, {} skipped, {other} not run here; {} run, {emulated} emulated, \
             {skipped_steps} skipped, {left} not run here",
            counted(ran.len(), "job"),
            skipped.len(),
            counted(done, "step")
        )
    }
}
