//! A port that is said to be open and is not the one that is listened on.

use super::Rule;
use crate::inspect::docker::Instruction;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "exposed-port",
    stage: Stage::Deploy,
    title: "A Dockerfile exposes the port that it starts the server on",
    why: "tools that publish the exposed port, and people who read it, connect to nothing",
    remedy: "write the same port into EXPOSE and into the command",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for file in &facts.dockerfiles {
        let Some(expose) = file.last("EXPOSE") else {
            continue;
        };
        let exposed: Vec<&str> = file
            .last_stage()
            .iter()
            .filter(|one| one.word == "EXPOSE")
            .flat_map(|one| one.rest.split_whitespace())
            .map(|port| port.split('/').next().unwrap_or(port))
            .collect();
        if exposed.iter().any(|port| port.contains(['$', '-'])) {
            continue;
        }
        let words: Vec<String> = ["ENTRYPOINT", "CMD"]
            .iter()
            .filter_map(|word| file.last(word))
            .flat_map(Instruction::words)
            .collect();
        let after = words
            .windows(2)
            .find(|pair| matches!(pair[0].as_str(), "--port" | "-p"))
            .map(|pair| pair[1].clone());
        let port = after.or_else(|| {
            words
                .iter()
                .find_map(|word| word.strip_prefix("--port=").map(str::to_owned))
        });
        if let Some(port) = port.filter(|port| port.parse::<u16>().is_ok())
            && !exposed.contains(&port.as_str())
        {
            let message = format!(
                "exposes {}, but the server is started on {port}",
                exposed.join(", ")
            );
            found.risk(file.path, expose.line, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn the_same_port_is_fine() {
        let of = |text: &str, expected: &[&str]| check(&RULE, &[("Dockerfile", text)], expected);
        of(
            "FROM a\nEXPOSE 3000\nCMD [\"x\", \"--port\", \"8000\"]\n",
            &["risk Dockerfile:2"],
        );
        of("FROM a\nEXPOSE 8000/tcp\nCMD x --port=8000\n", &[]);
        of("FROM a\nEXPOSE 3000\nCMD x\n", &[]);
        of("FROM a\nEXPOSE $PORT\nCMD x --port 8000\n", &[]);
    }
}
