//! Jobs and steps.

use super::super::model::{Environment, Job, JobBody, Spanned, Step, StepBody, Strategy};
use super::{Reading, script, texts};
use crate::yaml::{Node, Pair, Value};

const JOB_KEYS: &[&str] = &[
    "name",
    "needs",
    "if",
    "runs-on",
    "environment",
    "permissions",
    "concurrency",
    "env",
    "defaults",
    "strategy",
    "outputs",
    "container",
    "services",
    "timeout-minutes",
    "continue-on-error",
    "steps",
    "uses",
    "with",
    "secrets",
    "snapshot",
];

const STEP_KEYS: &[&str] = &[
    "id",
    "name",
    "if",
    "env",
    "continue-on-error",
    "timeout-minutes",
    "run",
    "shell",
    "working-directory",
    "uses",
    "with",
];

impl Reading<'_> {
    pub(super) fn jobs(&mut self, jobs: &Node) -> Vec<Job> {
        if jobs.pairs().is_empty() {
            self.problem(jobs.place, "`jobs` must be a mapping with at least one job");
        }
        let jobs: Vec<Job> = jobs.pairs().iter().map(|pair| self.job(pair)).collect();
        self.check_needs(&jobs);
        jobs
    }

    fn job(&mut self, pair: &Pair) -> Job {
        let (id, node) = (&pair.key, &pair.value);
        self.check_id(id.place, &id.value, "a job");
        self.known_keys(node, &format!("the job `{}`", id.value), JOB_KEYS);
        let body = match (node.get("steps"), self.text_of(node, "uses")) {
            (_, Some(uses)) => JobBody::Reusable {
                uses,
                with: self.variables(node, "with"),
                secrets: node.get("secrets").cloned(),
            },
            (Some(steps), None) => JobBody::Steps(self.steps(steps)),
            (None, None) => {
                self.problem(id.place, format!("the job `{}` has no `steps`", id.value));
                JobBody::Steps(Vec::new())
            }
        };
        if matches!(body, JobBody::Steps(_)) && node.get("runs-on").is_none() {
            self.problem(id.place, format!("the job `{}` has no `runs-on`", id.value));
        }
        let strategy = node.get("strategy");
        Job {
            id: id.clone(),
            name: self.text_of(node, "name"),
            needs: node.get("needs").map(texts).unwrap_or_default(),
            condition: self.text_of(node, "if"),
            runs_on: node.get("runs-on").cloned(),
            environment: self.environment(node),
            permissions: self.permissions(node),
            concurrency: self.concurrency(node),
            variables: self.variables(node, "env"),
            defaults: self.defaults(node),
            strategy: strategy.map(|node| self.strategy(node)).unwrap_or_default(),
            outputs: self.variables(node, "outputs"),
            container: node.get("container").cloned(),
            services: node.get("services").cloned(),
            timeout_minutes: self.text_of(node, "timeout-minutes"),
            continue_on_error: self.text_of(node, "continue-on-error"),
            body,
        }
    }

    fn check_id(&mut self, place: super::Place, id: &str, what: &str) {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        let rest = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !(id.starts_with(first) && id.chars().all(rest)) {
            let shown = crate::printable::line(id, 60);
            let message = format!(
                "`{shown}` is no id for {what}: letters, digits, `-` and `_`, no digit or `-` first"
            );
            self.problem(place, message);
        }
    }

    /// Every need is a job, and no job needs itself through others.
    fn check_needs(&mut self, jobs: &[Job]) {
        let find = |id: &str| {
            jobs.iter()
                .find(|job| job.id.value.eq_ignore_ascii_case(id))
        };
        for job in jobs {
            for need in &job.needs {
                if find(&need.value).is_none() {
                    let (id, need_id) = (&job.id.value, crate::printable::line(&need.value, 60));
                    let message = format!("the job `{id}` needs `{need_id}`, which is no job here");
                    self.problem(need.place, message);
                }
            }
            let mut reached: Vec<&str> = Vec::new();
            let mut open: Vec<&str> = job.needs.iter().map(|need| need.value.as_str()).collect();
            while let Some(id) = open.pop() {
                if let Some(needed) = find(id)
                    && !reached.contains(&needed.id.value.as_str())
                {
                    reached.push(&needed.id.value);
                    open.extend(needed.needs.iter().map(|need| need.value.as_str()));
                }
            }
            if reached.contains(&job.id.value.as_str()) {
                let message = format!("the job `{}` needs itself, directly or not", job.id.value);
                self.problem(job.id.place, message);
            }
        }
    }

    fn environment(&mut self, node: &Node) -> Option<Environment> {
        let value = node.get("environment")?;
        match &value.value {
            Value::Map(_) => {
                let url = self.text_of(value, "url");
                let name = self.text_of(value, "name");
                if name.is_none() {
                    self.problem(value.place, "`environment` has no `name`");
                }
                name.map(|name| Environment { name, url })
            }
            Value::Scalar(_) | Value::List(_) => self
                .text_of(node, "environment")
                .map(|name| Environment { name, url: None }),
        }
    }

    fn strategy(&mut self, node: &Node) -> Strategy {
        Strategy {
            matrix: node.get("matrix").cloned(),
            fail_fast: self.text_of(node, "fail-fast"),
            max_parallel: self.text_of(node, "max-parallel"),
        }
    }

    pub(super) fn steps(&mut self, steps: &Node) -> Vec<Step> {
        let Value::List(items) = &steps.value else {
            self.problem(steps.place, "`steps` must be a list");
            return Vec::new();
        };
        let mut read: Vec<Step> = Vec::new();
        for item in items {
            let Some(step) = self.step(item) else {
                continue;
            };
            if let Some(id) = &step.id {
                self.check_id(id.place, &id.value, "a step");
                let same = |other: &Step| {
                    other
                        .id
                        .as_ref()
                        .is_some_and(|other| other.value.eq_ignore_ascii_case(&id.value))
                };
                if read.iter().any(same) {
                    let message = format!("two steps of the job have the id `{}`", id.value);
                    self.problem(id.place, message);
                }
            }
            read.push(step);
        }
        read
    }

    fn step(&mut self, node: &Node) -> Option<Step> {
        if !matches!(node.value, Value::Map(_)) {
            self.problem(node.place, "a step must be a mapping");
            return None;
        }
        self.known_keys(node, "a step", STEP_KEYS);
        let body = match (self.text_of(node, "run"), self.text_of(node, "uses")) {
            (Some(_), Some(uses)) => {
                self.problem(uses.place, "a step has `run` or `uses`, not both");
                return None;
            }
            (None, Some(action)) => {
                let with = self.variables(node, "with");
                StepBody::Uses { action, with }
            }
            (Some(run), None) => StepBody::Run {
                script: script::script(self.text, node.get("run"), run),
                shell: self.text_of(node, "shell"),
                working_directory: self.text_of(node, "working-directory"),
            },
            (None, None) if node.get("run").is_some() => StepBody::Run {
                script: script::script(self.text, None, Spanned::new(String::new(), node.place)),
                shell: None,
                working_directory: None,
            },
            (None, None) => {
                self.problem(node.place, "a step has neither `run` nor `uses`");
                return None;
            }
        };
        Some(Step {
            place: node.place,
            id: self.text_of(node, "id"),
            name: self.text_of(node, "name"),
            condition: self.text_of(node, "if"),
            variables: self.variables(node, "env"),
            continue_on_error: self.text_of(node, "continue-on-error"),
            timeout_minutes: self.text_of(node, "timeout-minutes"),
            body,
        })
    }
}
