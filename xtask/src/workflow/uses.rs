//! Every place at which a workflow or an action names another one.

use super::model::{JobBody, Text};
use super::repository::Repository;

/// A `uses` key.
#[derive(Debug, Clone, Copy)]
pub struct Uses<'a> {
    /// The file.
    pub path: &'a str,
    /// The file's text.
    pub file: &'a str,
    /// What is named.
    pub text: &'a Text,
}

/// All of them, in steps and in jobs.
pub fn all(repository: &Repository) -> Vec<Uses<'_>> {
    let mut all = Vec::new();
    for site in repository.sites() {
        if let Some((_, text)) = site.action() {
            all.push(Uses {
                path: site.path,
                file: site.text,
                text,
            });
        }
    }
    for workflow in &repository.workflows {
        for job in &workflow.jobs {
            if let JobBody::Reusable { uses, .. } = &job.body {
                all.push(Uses {
                    path: &workflow.path,
                    file: &workflow.text,
                    text: uses,
                });
            }
        }
    }
    all
}

/// Whether it is pinned to a commit.
pub fn is_pinned(uses: &str) -> bool {
    let Some((_, version)) = uses.rsplit_once('@') else {
        return false;
    };
    version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit())
}
