//! A server without a command.

use super::Rule;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "no-console-script",
    stage: Stage::Build,
    title: "A server installs a command",
    why: "`uvx NAME` and `pipx run NAME` start the command of that name; without one they end with an error",
    remedy: "add one under [project.scripts]: NAME = \"package.module:main\"",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    for project in facts.made_servers() {
        if let Some(name) = &project.name
            && project.scripts.is_empty()
            && !facts.repository.has(&project.join("setup.py"))
            && !facts.repository.has(&project.join("setup.cfg"))
        {
            found.breaks(
                project.path,
                name.line,
                format!("{} has no console script", name.text),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    #[test]
    fn only_what_makes_a_server_needs_one() {
        let manifest = "[project]\nname = \"a\"\ndependencies = [\"mcp<2\"]\n";
        let with = format!("{manifest}[project.scripts]\na = \"a:main\"\n");
        let of = |manifest: &str, path: &str, source: &str, expected: &[&str]| {
            let files = [
                ("pyproject.toml", manifest),
                ("a/__init__.py", ""),
                (path, source),
            ];
            check(&RULE, &files, expected);
        };
        let server = "mcp = FastMCP('a')\n";
        let plain = "async def main():\n    async with stdio_server() as (r, w):\n        pass\n";
        let expected = ["breaks pyproject.toml:2"];
        of(manifest, "a/server.py", server, &expected);
        of(manifest, "server.py", plain, &expected);
        of(&with, "a/server.py", server, &[]);
        let other = "[project]\nname = \"a\"\n";
        of(other, "a/server.py", server, &[]);
        of(manifest, "scripts/measure.py", server, &[]);
        for library in [
            "from mcp import ClientSession\n",
            "\"\"\"FastMCP('a').run()\"\"\"\nimport mcp\n",
            "server = CurrentFastMCP()\n",
        ] {
            of(manifest, "a/client.py", library, &[]);
        }
    }
}
