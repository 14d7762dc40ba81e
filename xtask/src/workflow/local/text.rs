//! The plan for people. Pure.

use std::fmt::Write as _;

use super::{How, Leg, Plan, PlannedJob, State};

impl Plan {
    /// A line for each job, leg and step.
    pub fn text(&self) -> String {
        let mut text = format!("{} on {}\n", self.workflow, self.event);
        for job in &self.jobs {
            match &job.state {
                State::Run | State::Conditional(_) if job.legs.is_empty() => {
                    line(
                        &mut text,
                        &job.id,
                        "its matrix is known when the jobs it needs have run",
                    );
                }
                State::Run => job.add_legs_to(&mut text),
                State::Conditional(condition) => {
                    line(&mut text, &job.id, &format!("if {condition}"));
                    job.add_legs_to(&mut text);
                }
                State::Kept => line(
                    &mut text,
                    &job.id,
                    "kept: its result of the last run stands",
                ),
                State::Skipped(why) => line(&mut text, &job.id, &format!("skipped: {why}")),
                State::LeftOut(why) => line(&mut text, &job.id, &format!("left out: {why}")),
            }
        }
        text
    }
}

impl PlannedJob {
    fn add_legs_to(&self, text: &mut String) {
        for leg in &self.legs {
            leg.add_to(text, self.environment.as_deref());
        }
    }
}

fn line(text: &mut String, name: &str, what: &str) {
    // Writing into a text cannot fail.
    let _written = writeln!(text, "{}", format!("  {name}  {what}").trim_end());
}

impl Leg {
    fn add_to(&self, text: &mut String, environment: Option<&str>) {
        if let State::LeftOut(why) = &self.state {
            return line(text, &self.name, &format!("left out: {why}"));
        }
        line(text, &self.name, "");
        if let Some(name) = environment {
            let _written = writeln!(text, "    at GitHub in the environment {name}");
        }
        for warning in &self.warnings {
            let _written = writeln!(text, "    !         {warning}");
        }
        for step in &self.steps {
            let (word, more) = match &step.how {
                How::Run => ("run", String::new()),
                How::Emulated(emulation) => ("emulated", format!("  ({})", emulation.words())),
                How::LeftOut(why) => ("left out", format!("  ({why})")),
            };
            let condition = step.condition.as_ref();
            let condition = condition.map_or_else(String::new, |text| format!("  if {text}"));
            let _written = writeln!(text, "    {word:<9} {}{more}{condition}", step.name);
        }
    }
}
