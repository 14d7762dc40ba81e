//! What will break when a repository is built, published or deployed, as far as reading tells.
//! Pure.
//!
//! [`inspect`] takes a [`Repository`]: the paths of its files and the texts of those that tell
//! something, which `exec::inspect` has read. It derives [`Facts`] once, has every rule of
//! [`RULES`] look at them, and returns a [`Report`]. Nothing is run, resolved or asked for. A rule
//! that cannot be sure says nothing: a false alarm costs more than silence.

mod docker;
mod environment;
mod facts;
mod finding;
mod kubernetes;
mod modules;
mod package;
mod project;
mod python;
mod report;
mod repository;
pub mod rules;
pub mod sarif;
mod source;
#[cfg(test)]
mod tests;

pub use facts::Facts;
pub use finding::{Finding, Findings, Severity, Stage};
pub use report::Report;
pub use repository::{Repository, Unread, interest};
pub use rules::{RULES, Rule};

/// Looks at a repository with every rule.
pub fn inspect(repository: &Repository) -> Report {
    let facts = Facts::of(repository);
    let mut findings = Vec::new();
    for rule in RULES {
        let mut found = Findings::of(rule);
        (rule.look)(&facts, &mut found);
        findings.extend(found.list);
    }
    report::settle(repository, &facts, findings)
}
