//! `invalid-expression`: every expression is one that GitHub can evaluate.

use crate::workflow::expression::{self, Template};
use crate::workflow::read::place_in;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    id: "invalid-expression",
    title: "Every expression is one that GitHub can evaluate",
    why: "a run ends before its first step when an expression is wrong, or the step is silently left out",
    mend: "write it as GitHub's page on expressions says",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    let workflows = repository
        .workflows
        .iter()
        .map(|workflow| (&workflow.path, &workflow.root, &workflow.text));
    let actions = repository
        .actions
        .iter()
        .map(|action| (&action.path, &action.root, &action.text));
    for (path, root, text) in workflows.chain(actions) {
        root.each_scalar(&mut |node, scalar| {
            if let Err(problem) = Template::parse(&scalar.text) {
                let place = place_in(text, node, &scalar.text, problem.offset);
                found.add(path, place, problem.message);
            }
        });
    }
    for workflow in &repository.workflows {
        let steps = workflow.jobs.iter().flat_map(|job| {
            let steps = job.steps().iter().map(|step| step.condition.as_ref());
            steps.chain([job.condition.as_ref()])
        });
        for condition in steps
            .flatten()
            .filter(|condition| !condition.value.contains("${{"))
        {
            if let Err(problem) = expression::parse(&condition.value) {
                let mut place = condition.place;
                let before = condition.value.get(..problem.offset).unwrap_or_default();
                place.column += before.chars().count();
                found.add(&workflow.path, place, problem.message);
            }
        }
    }
}
