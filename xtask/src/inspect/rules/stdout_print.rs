//! Text for people on the stream that carries the protocol.

use super::Rule;
use crate::inspect::source::holds;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "stdout-print",
    stage: Stage::Build,
    title: "A server on stdio prints nothing to standard output",
    why: "clients read JSON-RPC there, and a strict one ends the connection at the first other line",
    remedy: "print to sys.stderr (file=sys.stderr), or use logging",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts.servers() {
        for python in facts.python_of(project) {
            if !holds(python.text, "FastMCP(") && !holds(python.text, "stdio_server(") {
                continue;
            }
            let runs = python.lines.iter().position(|line| {
                line.code.contains(".run(") || line.code.contains("stdio_server(")
            });
            let Some(run) = runs else {
                continue;
            };
            // What stands in front of the start, as deep as it, is printed whenever it starts.
            let depth = python.lines[run].indent;
            let before = python.lines[..run].iter().rev();
            let block = before
                .take_while(|line| line.indent >= depth.min(4) && !line.code.starts_with("def "));
            let print = block
                .filter(|line| line.code.starts_with("print(") && !line.code.contains("file="));
            if let Some(first) = print.last() {
                found.risk(
                    python.path,
                    first.number,
                    "prints to standard output before the server starts",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(line: &str, expected: &[&str]) {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n";
        let text = format!(
            "mcp = FastMCP('a')\ndef other():\n    print('x')\ndef main():\n    {line}\n    mcp.run('stdio')\n"
        );
        check(
            &RULE,
            &[("pyproject.toml", manifest), ("a/m.py", &text)],
            expected,
        );
    }

    #[test]
    fn only_what_is_printed_at_the_start_counts() {
        of("print('starting')", &["risk a/m.py:5"]);
        of("print('starting', file=sys.stderr)", &[]);
        of("log.info('starting')", &[]);
    }
}
