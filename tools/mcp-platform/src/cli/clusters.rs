//! `clusters`: the clusters that `--cluster` can name.

use serde::Serialize;

use crate::backend::kubernetes::clusters::{Cluster, list};
use crate::world::World;

use super::Output;
use super::output::table;

#[derive(Serialize)]
struct All {
    clusters: Vec<Cluster>,
}

/// Prints them; a broken one with what is wrong.
pub fn run(world: &World, output: &Output) {
    let clusters = list(world);
    let mut rows = vec![["", "NAME", "SERVER", "FILE"].map(str::to_owned).to_vec()];
    for cluster in &clusters {
        let file = cluster.file.as_ref().map(|file| file.display().to_string());
        rows.push(vec![
            if cluster.current { "*" } else { "" }.to_owned(),
            cluster.name.clone(),
            cluster.server.clone().unwrap_or_else(|| "-".to_owned()),
            match &cluster.problem {
                Some(problem) => format!("unusable: {problem}"),
                None => file.unwrap_or_else(|| "the pod's service account".to_owned()),
            },
        ]);
    }
    output.result(&table(&rows), &All { clusters });
}
