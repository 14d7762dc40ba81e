//! A release that is there already, in every kind of place at once.

use super::again::size;
use super::client;
use super::it::publish::places::{self, Place};
use super::it::publish::{mcp, real, sample};
use super::measure::{self, Series};
use super::repository::{Repository, ended};

const ROUNDS: usize = 10;

/// Publishes everywhere, then again and again, and prints what that costs.
pub fn second(tools: &client::Tools) {
    let mut everywhere: Vec<(&str, Place)> = vec![
        ("pypi", places::warehouse()),
        ("github", places::github()),
        ("open-vsx", places::open_vsx()),
        ("mcp", places::mcp()),
    ];
    if tools.has_npm() {
        everywhere.push(("marketplace", places::marketplace()));
    } else {
        measure::line("  left out: marketplace, as npm is not there");
    }
    if real::has_docker_registry() {
        everywhere.push(("oci", places::oci()));
    }
    let repository = repository(&everywhere);
    let run = || {
        let mut command = repository.command(client::tool().as_str());
        command.args(["publish", "--to", "everywhere", "--execute"]);
        command
    };
    let first = ended(&mut run());
    assert_eq!(first.code, Some(0), "{}{}", first.stdout, first.stderr);
    let mut series = Series::default();
    for _ in 0..ROUNDS {
        everywhere
            .iter()
            .for_each(|(_, place)| place.front.forget());
        series.run(&mut run());
    }
    measure::line("");
    measure::times("all targets, everything is there", &series);
    measure::line("\n| target, everything is there | requests | sent | uploads |");
    measure::line("|---|---|---|---|");
    measure::line("| local | 0 | 0 B | 0 |");
    let mut sums = (0, 0, 0);
    for (name, place) in &everywhere {
        let (requests, bytes) = (place.front.log().len(), place.front.received());
        row(name, requests, bytes, place.sent());
        sums = (sums.0 + requests, sums.1 + bytes, sums.2 + place.sent());
    }
    let wall = measure::seconds(series.wall());
    row(&format!("**all, {wall}**"), sums.0, sums.1, sums.2);
    let what = "uploads of a second publish to every target";
    measure::goal(what, &sums.2.to_string(), "0");
}

fn row(name: &str, requests: usize, bytes: usize, uploads: usize) {
    let size = size(bytes);
    measure::line(&format!("| {name} | {requests} | {size} | {uploads} |"));
}

/// A repository whose release goes to all of them.
fn repository(everywhere: &[(&str, Place)]) -> Repository {
    let mut settings = String::new();
    let mut names = vec!["\"local\"".to_owned()];
    for (name, place) in everywhere {
        settings.push_str(&format!("[target.{name}]\n{}", place.settings));
        names.push(format!("\"{name}\""));
    }
    let names = names.join(", ");
    settings.push_str(&format!("[profile.everywhere]\ntargets = [{names}]\n"));
    let mut repository = sample::repository(&settings);
    sample::put(&repository, &mcp::described(sample::CONTENT));
    for (_, place) in everywhere {
        (place.prepare)(&repository);
        for (name, value) in &place.environment {
            let variable = ((*name).to_owned(), value.clone());
            repository.environment.push(variable);
        }
    }
    repository
}
