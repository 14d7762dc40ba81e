//! `[mcp]`: what a registry of MCP servers is told about the server. Pure.
//!
//! The limits are those of the registry's schema, 2025-12-11, and of what the registry itself
//! refuses beyond it: a name that begins or ends with a dot, an address without TLS.

use super::reader::{Reader, Table};

/// The most characters of a description and of a title.
pub const TEXT_LIMIT: usize = 100;

/// The fewest and the most characters of a name.
const NAME_LIMITS: std::ops::RangeInclusive<usize> = 3..=200;

/// The formats of an input.
const FORMATS: [&str; 4] = ["string", "number", "boolean", "filepath"];

/// `[mcp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mcp {
    /// The server's name there: a namespace in reverse-DNS form, a slash, a name.
    pub name: String,
    /// What people read instead of the name.
    pub title: Option<String>,
    /// What it does, in at most 100 characters; that of `pyproject.toml` unless said otherwise.
    pub description: Option<String>,
    /// The address of its source code; that of `pyproject.toml` unless said otherwise.
    pub repository: Option<String>,
    /// The address of a page about it.
    pub website: Option<String>,
    /// The program that starts the package.
    pub runtime: String,
    /// What it is started with; that of `[prove.stdio]` unless said otherwise.
    pub arguments: Option<Vec<String>>,
    /// Environment variables that its users set.
    pub environment: Vec<Variable>,
    /// Addresses at which it can be used without being installed.
    pub remotes: Vec<String>,
}

/// An entry of `[[mcp.environment]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it is when the user sets nothing.
    pub default: Option<String>,
    /// What is expected: a string, a number, a boolean or the path of a file.
    pub format: Option<String>,
    /// What may be chosen; anything when nothing is listed.
    pub choices: Vec<String>,
    /// Whether the server needs it.
    pub required: bool,
    /// Whether clients must keep it from being seen.
    pub secret: bool,
}

/// Reads `[mcp]`. `speaks_stdio` tells whether the server has been told to be proved that way.
pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &mut Table<'_>,
    speaks_stdio: bool,
) -> Option<Mcp> {
    let mut table = reader.table(top, "mcp");
    if !table.is_present() {
        return None;
    }
    let table = &mut table;
    if !speaks_stdio {
        let span = reader.span(top, "mcp");
        let message = "`mcp` needs `[prove.stdio]`: clients start a package of the registry and \
                       talk to its standard streams";
        reader.problem(span, message);
    }
    let mcp = Mcp {
        name: name(reader, table),
        title: short(reader, table, "title"),
        description: short(reader, table, "description"),
        repository: repository(reader, table),
        website: address(reader, table, "website"),
        runtime: runtime(reader, table),
        arguments: reader.optional_strings(table, "arguments"),
        environment: environment(reader, table),
        remotes: remotes(reader, table),
    };
    reader.finish(table);
    Some(mcp)
}

fn name(reader: &mut Reader<'_>, table: &mut Table<'_>) -> String {
    let name = reader.string(table, "name");
    if table.has("name") && !is_name(&name) {
        let span = reader.span(table, "name");
        let message = format!(
            "`{name}` is no name for an MCP registry: a namespace such as io.github.OWNER, one \
             slash, and a name, of letters, digits, dots and hyphens"
        );
        reader.problem(span, message);
    }
    name
}

/// Whether a registry takes this name: two parts of at least two characters that begin and end
/// with a letter or a digit. The schema's own pattern asks for less.
pub fn is_name(name: &str) -> bool {
    let sound = |part: &str, more: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric();
        let inner = |c: char| plain(c) || more.contains(c);
        part.len() > 1
            && part.chars().all(inner)
            && part.starts_with(plain)
            && part.ends_with(plain)
    };
    NAME_LIMITS.contains(&name.len())
        && name
            .split_once('/')
            .is_some_and(|(space, own)| sound(space, ".-") && sound(own, "._-"))
}

/// A text of at most 100 characters.
fn short(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str) -> Option<String> {
    let text = reader.optional_string(table, key)?;
    if let Some(wrong) = wrong_text(&text) {
        let span = reader.span(table, key);
        reader.problem(span, format!("`mcp.{key}` {wrong}"));
    }
    Some(text)
}

/// What is wrong with a title or a description.
pub fn wrong_text(text: &str) -> Option<String> {
    match text.chars().count() {
        0 => Some("is empty".to_owned()),
        _ if text.trim().is_empty() => Some("is empty".to_owned()),
        length if length > TEXT_LIMIT => Some(format!(
            "has {length} characters; a registry takes {TEXT_LIMIT} at most"
        )),
        _ => None,
    }
}

fn repository(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<String> {
    let text = reader.optional_string(table, "repository")?;
    if repository_source(&text).is_none() {
        let span = reader.span(table, "repository");
        let message = format!(
            "`{text}` is no repository that a registry knows: https://github.com/OWNER/NAME, or \
             the same at gitlab.com"
        );
        reader.problem(span, message);
    }
    Some(text)
}

/// What a registry calls the service behind a repository's address; `None` when it is none of
/// those that it takes.
pub fn repository_source(address: &str) -> Option<&'static str> {
    let rest = address.strip_prefix("https://")?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let (host, path) = rest.split_once('/')?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let word = |part: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty() && part.chars().all(plain)
    };
    if !parts.iter().all(word) {
        return None;
    }
    match (host, parts.len()) {
        ("github.com", 2) => Some("github"),
        ("gitlab.com", 2..) => Some("gitlab"),
        _ => None,
    }
}

fn address(reader: &mut Reader<'_>, table: &mut Table<'_>, key: &'static str) -> Option<String> {
    let text = reader.optional_string(table, key)?;
    if !is_address(&text) {
        let span = reader.span(table, key);
        reader.problem(
            span,
            format!("`{text}` is no address that begins with https://"),
        );
    }
    Some(text)
}

fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").map(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let plain = |c: char| c.is_ascii_graphic() && !"<>\"\\^`{|}".contains(c);
    text.chars().all(plain) && host.is_some_and(|host| !host.is_empty() && !host.contains('@'))
}

fn runtime(reader: &mut Reader<'_>, table: &mut Table<'_>) -> String {
    let text = reader.optional_string(table, "runtime");
    let text = text.unwrap_or_else(|| "uvx".to_owned());
    if text.is_empty() || text.contains(char::is_whitespace) {
        let span = reader.span(table, "runtime");
        reader.problem(
            span,
            "`mcp.runtime` is the name of one program, such as uvx",
        );
    }
    text
}

fn remotes(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<String> {
    let remotes = reader.optional_strings(table, "remotes");
    let remotes = remotes.unwrap_or_default();
    for wrong in remotes.iter().filter(|remote| !is_address(remote)) {
        let span = reader.span(table, "remotes");
        reader.problem(
            span,
            format!("`{wrong}` is no address that begins with https://"),
        );
    }
    remotes
}

fn environment(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    for (mut entry, span) in reader.tables(table, "environment") {
        let variable = Variable {
            name: reader.string(&mut entry, "name"),
            description: reader.optional_string(&mut entry, "description"),
            default: reader.optional_string(&mut entry, "default"),
            format: reader.optional_string(&mut entry, "format"),
            choices: reader
                .optional_strings(&mut entry, "choices")
                .unwrap_or_default(),
            required: reader.truth(&mut entry, "required").unwrap_or(false),
            secret: reader.truth(&mut entry, "secret").unwrap_or(false),
        };
        let known = |format: &String| FORMATS.contains(&format.as_str());
        if let Some(format) = variable.format.as_ref().filter(|format| !known(format)) {
            let message = format!("unknown format `{format}`; known: {}", FORMATS.join(", "));
            let span = reader.span(&entry, "format");
            reader.problem(span, message);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if entry.has("name") && (variable.name.is_empty() || !variable.name.chars().all(plain)) {
            let message = format!("`{}` is no name of a variable", variable.name);
            let span = reader.span(&entry, "name");
            reader.problem(span, message);
        }
        if variables.iter().any(|other| other.name == variable.name) {
            let message = format!("`mcp.environment` names `{}` twice", variable.name);
            reader.problem(span, message);
        }
        reader.finish(&entry);
        variables.push(variable);
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const START: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \"server\"\n\
                         console-script = \"demo\"\n[prove.call]\ntool = \"ping\"\n";

    fn parse(rest: &str) -> Result<Mcp, String> {
        let parsed = config::parse(&format!("{START}{rest}"), "release.toml");
        parsed
            .map(|config| config.mcp.unwrap())
            .map_err(|error| error.message)
    }

    #[test]
    fn a_name_is_enough() {
        let mcp = parse("[prove.stdio]\n[mcp]\nname = \"io.github.one/demo\"\n").unwrap();
        assert_eq!(mcp.runtime, "uvx");
        assert!(mcp.arguments.is_none() && mcp.environment.is_empty());
    }

    #[test]
    fn names_are_those_that_a_registry_takes() {
        for name in ["io.github.one/demo", "a1/b2", "com.example-x/a_b.c-d"] {
            assert!(is_name(name), "{name}");
        }
        let wrong = [
            "",
            "demo",
            "a/b",
            "io.github.one/",
            "/demo",
            "a.b/c/d1",
            "io_x/demo",
            ".io/demo",
            "io./demo",
            "io.x/-demo",
            "io.x/demo.",
            "io.x/de mo",
            "io.x/dé1",
        ];
        for name in wrong {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&format!("io.x/{}", "a".repeat(196))));
        assert!(is_name(&format!("io.x/{}", "a".repeat(195))));
    }

    #[test]
    fn repositories_are_at_services_that_a_registry_knows() {
        let check =
            |address, expected| assert_eq!(repository_source(address), expected, "{address}");
        check("https://github.com/one/two", Some("github"));
        check("https://www.github.com/one/two/", Some("github"));
        check("https://gitlab.com/one/two/three", Some("gitlab"));
        check("https://github.com/one", None);
        check("https://github.com/one/two/three", None);
        check("http://github.com/one/two", None);
        check("https://example.org/one/two", None);
        check("https://github.com/one/t?o", None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |rest: &str, expected: &str| {
            let text = format!("[prove.stdio]\n[mcp]\nname = \"io.github.one/demo\"\n{rest}");
            let message = parse(&text).unwrap_err();
            assert!(message.contains(expected), "{message}");
        };
        let long = "ä".repeat(101);
        check(
            &format!("description = \"{long}\"\n"),
            "has 101 characters; a registry takes 100",
        );
        check("title = \" \"\n", "`mcp.title` is empty");
        check("website = \"http://example.org\"\n", "begins with https://");
        check(
            "remotes = [\"https://user@example.org/mcp\"]\n",
            "begins with https://",
        );
        check(
            "repository = \"https://example.org/a/b\"\n",
            "no repository that a registry knows",
        );
        check("runtime = \"uvx --from x\"\n", "the name of one program");
        check("registry = \"x\"\n", "unknown key `mcp.registry`");
        let one = "[[mcp.environment]]\nname = \"A\"\n";
        check(&format!("{one}{one}"), "names `A` twice");
        check(
            &format!("{one}format = \"path\"\n"),
            "unknown format `path`; known: string",
        );
        check(
            "[[mcp.environment]]\nname = \"A=B\"\n",
            "is no name of a variable",
        );
        check(&format!("{one}secret = 1\n"), "is true or false");
        let message = parse("[mcp]\nname = \"x\"\n").unwrap_err();
        assert!(message.contains("needs `[prove.stdio]`"), "{message}");
        assert!(
            message.contains("`x` is no name for an MCP registry"),
            "{message}"
        );
    }
}
