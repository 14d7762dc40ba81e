//! `undefined-matrix-value`: a job reads only the matrix values that it has.

use std::collections::BTreeSet;

use crate::workflow::expression::{Expression, Template};
use crate::workflow::model::Job;
use crate::workflow::read::place_in;
use crate::workflow::repository::Repository;
use crate::workflow::rule::{Found, Refuses, Rule};
use crate::yaml::{Node, Value};

/// The rule.
pub static RULE: Rule = Rule {
    id: "undefined-matrix-value",
    title: "A job reads only the matrix values that it has",
    why: "a value that is not there is an empty text: a name, a path or a condition that silently means something else",
    mend: "add the value to `strategy.matrix`, or read one that is in it",
    refuses: Refuses::Always,
    find,
};

fn find(repository: &Repository, found: &mut Found<'_>) {
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            let Some(keys) = keys(job) else {
                continue;
            };
            let Some(node) = workflow
                .root
                .get("jobs")
                .and_then(|jobs| jobs.get(&job.id.value))
            else {
                continue;
            };
            node.each_scalar(&mut |node, scalar| {
                let Ok(template) = Template::parse(&scalar.text) else {
                    return;
                };
                for (offset, path) in template.expressions().flat_map(Expression::paths) {
                    let key = path
                        .strip_prefix("matrix.")
                        .map(|rest| rest.split('.').next().unwrap_or(rest));
                    if let Some(key) = key.filter(|key| *key != "*" && !keys.contains(*key)) {
                        let place = place_in(&workflow.text, node, &scalar.text, offset);
                        let message =
                            format!("the job `{}` has no matrix value `{key}`", job.id.value);
                        found.add(&workflow.path, place, message);
                    }
                }
            });
        }
    }
}

/// The names of the matrix; none when they are known at run time only.
fn keys(job: &Job) -> Option<BTreeSet<String>> {
    let Some(matrix) = &job.strategy.matrix else {
        return Some(BTreeSet::new());
    };
    if !matches!(matrix.value, Value::Map(_)) {
        return None;
    }
    let mut keys = BTreeSet::new();
    for pair in matrix.pairs() {
        match pair.key.value.as_str() {
            "exclude" => {}
            "include" if !matches!(pair.value.value, Value::List(_)) => return None,
            "include" => {
                let legs = pair.value.items().iter().flat_map(Node::pairs);
                keys.extend(legs.map(|pair| pair.key.value.to_lowercase()));
            }
            key => {
                keys.insert(key.to_lowercase());
            }
        }
    }
    Some(keys)
}
