//! One job: its legs one after the other, each in an empty folder.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::report::{JobReport, Outcome, Report};
use super::step::JobRun;
use super::{Folder, Session, artifact, clone};
use crate::error::{Context, Result};
use crate::workflow::local::command::Output;
use crate::workflow::local::scope::{Scope, Standing};
use crate::workflow::local::{Leg, PlannedJob, State, plan};
use crate::workflow::model::Job;
use crate::world::files;
use crate::world::interrupt::{Signal, send_one};
use crate::world::process::table;

/// How long a job may take that does not say, as at GitHub.
const LONGEST: Duration = Duration::from_secs(360 * 60);

impl Session<'_> {
    /// Runs a job; the value is what `needs` shows of it.
    pub(super) fn job(
        &self,
        job: &Job,
        planned: &PlannedJob,
        results: &BTreeMap<String, Value>,
        report: &mut Report,
    ) -> Result<Value> {
        let skipped = json!({ "result": "skipped", "outputs": {} });
        let mut note = |name: &str, outcome: Outcome, detail: Option<String>| {
            let shown = detail.as_deref().unwrap_or("its condition does not hold");
            self.world.terminal.same(name, &format!("not run: {shown}"));
            report.jobs.push(not_run(job, name, outcome, detail));
        };
        match &planned.state {
            State::Skipped(why) => {
                note(&planned.id, Outcome::Skipped, Some(why.clone()));
                return Ok(skipped);
            }
            State::LeftOut(why) if planned.legs.is_empty() => {
                note(&planned.id, Outcome::NotRun, Some(why.clone()));
                return Ok(skipped);
            }
            _ => {}
        }
        let scope = self.job_scope(job, results);
        if !scope.holds(&self.workflow.path, job.condition.as_ref())? {
            note(&planned.id, Outcome::Skipped, None);
            return Ok(skipped);
        }
        let legs = match planned.legs.is_empty() {
            true => {
                let (kept, composites) = (BTreeSet::new(), self.composites());
                plan::legs(&self.question(&kept, &composites), job, &scope)?
            }
            false => planned.legs.clone(),
        };
        let fail_fast = job.strategy.fail_fast.as_ref();
        let fail_fast = fail_fast.is_none_or(|text| text.value != "false");
        let (mut result, mut outputs) = ("skipped", Map::new());
        for (index, leg) in legs.iter().enumerate() {
            if let State::LeftOut(why) = &leg.state {
                self.world
                    .terminal
                    .same(&leg.name, &format!("not run: {why}"));
                report
                    .jobs
                    .push(not_run(job, &leg.name, Outcome::NotRun, Some(why.clone())));
                continue;
            }
            if result == "failure" && fail_fast {
                let why = "another leg has failed".to_owned();
                report
                    .jobs
                    .push(not_run(job, &leg.name, Outcome::Skipped, Some(why)));
                continue;
            }
            let mut scope = scope.clone();
            scope.set("matrix", leg.matrix.clone());
            scope.set(
                "strategy",
                json!({
                    "fail-fast": fail_fast, "job-index": index, "job-total": legs.len(),
                    "max-parallel": legs.len(),
                }),
            );
            let (ended, left) = self.leg(job, leg, scope)?;
            let failed = ended.outcome == Outcome::Failure && !ended.tolerated;
            result = if failed || result == "failure" {
                "failure"
            } else {
                "success"
            };
            outputs.extend(left.into_iter().filter(|(_, value)| *value != json!("")));
            report.jobs.push(ended);
        }
        Ok(json!({ "result": result, "outputs": outputs }))
    }

    /// What a job's expressions read: the jobs it needs, and how they and theirs went.
    fn job_scope(&self, job: &Job, results: &BTreeMap<String, Value>) -> Scope {
        let mut scope = self.scope.clone();
        let mut needs = Map::new();
        for need in &job.needs {
            let result = results.get(&need.value).cloned().unwrap_or_default();
            needs.insert(need.value.clone(), result);
        }
        scope.set("needs", needs);
        scope.put("github", "job", job.id.value.as_str());
        let mut open: Vec<&str> = job.needs.iter().map(|need| need.value.as_str()).collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let result = results
                .get(id)
                .and_then(|result| result.get("result")?.as_str());
            match result {
                Some("failure") => scope.standing = Standing::Failure,
                Some("success") => {}
                _ if scope.standing == Standing::Success => scope.standing = Standing::Skipped,
                _ => {}
            }
            let needed = self.workflow.job(id).map(|job| &job.needs);
            open.extend(needed.into_iter().flatten().map(|need| need.value.as_str()));
        }
        scope
    }

    /// Runs one leg in an empty folder.
    fn leg(
        &self,
        job: &Job,
        leg: &Leg,
        mut scope: Scope,
    ) -> Result<(JobReport, Map<String, Value>)> {
        let (file, folders) = (&self.workflow.path, &self.folders);
        for folder in [&folders.workspace, &folders.temporary] {
            files::remove_folder(folder)?;
            files::create_folder(folder)?;
        }
        let event = scope
            .contexts
            .get("github")
            .and_then(|github| github.get("event"));
        let event = event.cloned().unwrap_or_default().to_string();
        files::write(&folders.temporary.join("event.json"), event.as_bytes())?;
        self.world.terminal.pass_on(&format!("── {}", leg.name));
        for warning in &leg.warnings {
            self.world.terminal.warn(warning);
        }
        self.give_secrets(&mut scope);
        scope.standing = Standing::Success;
        scope.files = Some(artifact::hashing(folders.workspace.clone()));
        scope.set("steps", Map::new());
        scope.set("job", json!({ "status": "success" }));
        let mut variables = BTreeMap::new();
        for level in [&self.workflow.variables, &job.variables] {
            let texts = scope.texts(file, level)?;
            variables.extend(texts);
            scope.set("env", json!(variables));
        }
        let minutes = match &job.timeout_minutes {
            Some(text) => super::step::minutes(&scope.text(file, text)?, LONGEST),
            None => LONGEST,
        };
        let tolerated = scope.flag(file, job.continue_on_error.as_ref())?;
        let mut run = JobRun {
            session: self,
            job,
            scope,
            variables,
            path: Vec::new(),
            output: Output::default(),
            report: JobReport {
                tolerated,
                ..not_run(job, &leg.name, Outcome::Success, None)
            },
            deadline: Instant::now() + minutes,
            left: Vec::new(),
            count: 0,
        };
        for (_, secret) in &self.secrets {
            run.output.mask(secret.reveal());
        }
        for (_, secret) in &self.identity {
            run.output.mask(secret.reveal());
        }
        let marker = run.marker();
        let ended = run.steps(file, job.steps());
        end_what_was_left(&marker);
        if ended.is_err() {
            // Scripts may hold secrets.
            files::remove_folder(&folders.temporary)?;
        }
        ended?;
        let mut outputs = Map::new();
        for (name, text) in run.scope.texts(file, &job.outputs)? {
            if run.output.masked(&text) == text {
                outputs.insert(name, json!(text));
            } else {
                let warning =
                    format!("the output {name} holds a secret; as at GitHub, no job gets it");
                self.world.terminal.warn(&warning);
            }
        }
        if run.scope.standing == Standing::Failure {
            run.report.outcome = Outcome::Failure;
        }
        self.put_away(&leg.name)?;
        Ok((run.report, outputs))
    }

    fn put_away(&self, name: &str) -> Result<()> {
        let folders = &self.folders;
        if !clone::is_as_it_was(self)? {
            self.written.set(self.world.now());
        }
        if self.request.folder == Folder::Kept {
            let plain = |c: char| {
                if c.is_ascii_alphanumeric() || ".-".contains(c) {
                    c
                } else {
                    '-'
                }
            };
            let place = folders
                .kept
                .join(name.chars().map(plain).collect::<String>());
            files::remove_folder(&place)?;
            files::create_folder(&folders.kept)?;
            std::fs::rename(&folders.workspace, &place).doing(|| format!("keep {place}"))?;
            self.world.terminal.same("kept", place.as_str());
        } else {
            files::remove_folder(&folders.workspace)?;
        }
        files::remove_folder(&folders.temporary)
    }
}

fn not_run(job: &Job, name: &str, outcome: Outcome, detail: Option<String>) -> JobReport {
    JobReport {
        id: job.id.value.clone(),
        name: name.to_owned(),
        outcome,
        detail,
        tolerated: false,
        steps: Vec::new(),
        summary: String::new(),
    }
}

/// Ends what steps have left in the background, as the end of a job does at GitHub. Where the
/// system does not tell who was started by whom, it stays.
fn end_what_was_left(marker: &str) {
    for process in table::family(u32::MAX, marker) {
        send_one(process.id, Signal::Kill);
    }
}
