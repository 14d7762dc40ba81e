//! The text of `release.toml`: what differs from the defaults, and comments on it. Pure.

use super::Decided;
use super::editor::Extension;
use super::facts::{Facts, join, shown};
use super::targets::{ALL, Target};

/// Writes it.
pub fn text(facts: &Facts, decided: &Decided) -> String {
    let server = &decided.server;
    let mut text = "# What this repository releases. `cargo xtask doctor` checks this file.\n\
                    schema = 1\n"
        .to_owned();
    text.push_str(&format!("name = {}\n", quoted(&server.name)));
    if let Some(changelog) = changelog(facts, &server.folder) {
        text.push_str(&format!("changelog = {}\n", quoted(&changelog)));
    }
    text.push_str(&format!(
        "\n[server]\npath = {}\nconsole-script = {}\n",
        quoted(shown(&server.folder)),
        quoted(&server.console_script)
    ));
    if server.names_lock {
        text.push_str(&format!("lock = {}\n", quoted(&server.lock)));
    }
    if let Some((arguments, group)) = &server.test {
        text.push_str(&format!(
            "# `cargo xtask test python` runs `python` with these arguments.\ntest = {}\n\
             test-groups = {}\n",
            list(arguments),
            list(std::slice::from_ref(group))
        ));
    }
    if let Some(file) = &server.build_requirements {
        text.push_str(&format!("\n[build]\nrequirements = {}\n", quoted(file)));
    }
    if let Some(extension) = &decided.extension {
        text.push_str(&of_extension(facts, extension));
    }
    text.push_str(&format!(
        "\n# The wheel is installed, started over stdio and asked. A server that needs arguments for\n\
         # that has them here: arguments = [\"--transport\", \"stdio\"]\n\
         [prove.stdio]\n\n\
         # The one real call; `arguments = {{ key = \"value\" }}` when it needs some.\n\
         [prove.call]\ntool = {}\n",
        quoted(&server.call)
    ));
    let versions = version_files(decided);
    if !versions.is_empty() {
        text.push_str(&format!(
            "\n# `cargo xtask version --check` holds these together.\n[version]\nfiles = [\n{}]\n",
            versions
                .iter()
                .map(|file| format!("  {},\n", quoted(file)))
                .collect::<String>()
        ));
    }
    text.push_str(&of_targets(decided));
    text
}

/// Every file that states the version.
pub fn version_files(decided: &Decided) -> Vec<String> {
    let mut files = decided.server.version_files.clone();
    let extension = decided.extension.iter();
    files.extend(extension.flat_map(|one| one.version_files.clone()));
    files
}

/// A changelog in the form that release notes are taken from.
fn changelog(facts: &Facts, folder: &str) -> Option<String> {
    let paths = ["CHANGELOG.md".to_owned(), join(folder, "CHANGELOG.md")];
    paths.into_iter().find(|path| {
        let text = facts.text(path);
        text.is_some_and(|text| text.lines().any(|line| line.starts_with("## ")))
    })
}

fn of_extension(facts: &Facts, extension: &Extension) -> String {
    let mut text = format!(
        "\n[extension]\npath = {}\n# The folder inside it that carries the wheel; git ignores it.\nbundle = {}\n",
        quoted(shown(&extension.folder)),
        quoted(&extension.bundle)
    );
    if !extension.arguments.is_empty() {
        let arguments: Vec<String> = extension
            .arguments
            .iter()
            .map(|it| (*it).to_owned())
            .collect();
        text.push_str(&format!("package-arguments = {}\n", list(&arguments)));
    }
    let allowed = extension.needs(facts).into_iter().map(|name| packed(&name));
    let lines: String = allowed
        .map(|name| format!("  {},\n", quoted(&name)))
        .collect();
    text.push_str(&format!(
        "\n# What may be in the extension beside its manifest and the bundle, as vsce names it.\n\
         [gate]\nallow = [\n{lines}]\n"
    ));
    text
}

/// The name under which `vsce` packs a file.
fn packed(name: &str) -> String {
    match name {
        "README.md" => "readme.md".to_owned(),
        "CHANGELOG.md" => "changelog.md".to_owned(),
        "LICENSE" => "LICENSE.txt".to_owned(),
        other => other.to_owned(),
    }
}

fn of_targets(decided: &Decided) -> String {
    let places = &decided.places;
    let repository = places.repository.as_deref().unwrap_or("OWNER/NAME");
    let has_extension = decided.extension.is_some();
    let mut text = String::new();
    if places.targets.is_empty() {
        text.push_str(
            "\n# Where it goes: take out the `#` of what you want, or let\n\
             # `cargo xtask init --target pypi --target github … --force` write it with its jobs.\n",
        );
        let offered = ALL
            .iter()
            .filter(|target| has_extension || !target.takes_extensions())
            .filter(|target| **target != Target::Mcp);
        let offered: Vec<Target> = offered.copied().collect();
        for target in &offered {
            for line in target.tables(repository).lines() {
                let line = line.trim_start_matches("# ");
                text.push_str(format!("# {line}").trim_end());
                text.push('\n');
            }
            text.push_str("#\n");
        }
        text.push_str(&format!(
            "# [profile.production]\n# targets = {}\n",
            names(&offered)
        ));
        return text;
    }
    if places.targets.contains(&Target::Mcp) {
        text.push_str(&format!(
            "\n# What the registry of MCP servers is told; the server's README carries the same name.\n\
             [mcp]\nname = {}\n",
            quoted(&server_name(decided))
        ));
    }
    for target in &places.targets {
        text.push_str(&format!("\n{}", target.tables(repository)));
    }
    text.push_str(&format!(
        "\n[profile.production]\ntargets = {}\n",
        names(&places.targets)
    ));
    text
}

/// The name in registries of MCP servers.
pub fn server_name(decided: &Decided) -> String {
    let repository = decided.places.repository.as_deref().unwrap_or("OWNER/NAME");
    let owner = repository.split('/').next().unwrap_or(repository);
    format!("io.github.{owner}/{}", decided.server.name)
}

fn names(targets: &[Target]) -> String {
    let names = targets.iter().flat_map(|target| match target {
        Target::Testpypi => vec![target.name().to_owned(), "install-test".to_owned()],
        other => vec![other.name().to_owned()],
    });
    list(&names.collect::<Vec<_>>())
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}
