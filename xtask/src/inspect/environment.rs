//! Which environment variables a server reads, as far as its Python says so.

use std::sync::LazyLock;

use regex::Regex;

use super::python::Python;
use super::repository::Repository;
use super::source;

/// A class of settings (pydantic) and how its variables are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The variable, in capitals, with the prefix of its class.
    pub variable: String,
    /// The only values it takes, when they are listed.
    pub choices: Vec<String>,
    /// Its default, when it is a plain text.
    pub default: Option<String>,
}

/// What is known of the variables.
#[derive(Debug, Default)]
pub struct Environment {
    /// The fields of settings.
    pub fields: Vec<Field>,
    /// The prefixes of settings, in capitals.
    pub prefixes: Vec<String>,
}

static PREFIX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"env_prefix["']?\s*[=:]\s*["']([A-Za-z0-9_]*)["']"#).expect("it is a pattern")
});
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([A-Za-z][A-Za-z0-9_]*)\s*:\s*([^=]+?)\s*(?:=\s*(.*))?$")
        .expect("it is a pattern")
});
static DEFAULT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^(?:Field\(\s*(?:default\s*=\s*)?)?["']([^"']*)["']"#).expect("it is a pattern")
});
static READ: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:getenv|environ\.get)\(\s*["']([A-Za-z0-9_]+)["']\s*,\s*["']([^"']*)["']"#)
        .expect("it is a pattern")
});
static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"["']([^"']*)["']"#).expect("it is a pattern"));

impl Environment {
    /// Adds what a file says.
    pub fn add(&mut self, python: &Python<'_>) {
        let holds = |word: &str| memchr::memmem::find(python.text.as_bytes(), word.as_bytes());
        if holds("env_prefix").is_some() {
            for captured in PREFIX.captures_iter(python.text) {
                self.prefixes.push(captured[1].to_ascii_uppercase());
            }
        }
        let has_reads = holds("environ").is_some() || holds("getenv").is_some();
        let reads = python.lines.iter().filter(|_| has_reads);
        let reads = reads.map(|line| line.code.as_str());
        let reads = reads.filter(|code| code.contains("getenv") || code.contains("environ.get"));
        for captured in reads.flat_map(|code| READ.captures_iter(code)) {
            self.fields.push(Field {
                variable: captured[1].to_owned(),
                choices: Vec::new(),
                default: Some(captured[2].to_owned()),
            });
        }
        if holds("BaseSettings").is_some() {
            self.add_settings(python);
        }
    }

    fn add_settings(&mut self, python: &Python<'_>) {
        let mut class: Option<usize> = None;
        let mut fields = Vec::new();
        let mut prefix = String::new();
        for line in &python.lines {
            if class.is_some_and(|indent| line.indent <= indent) {
                class = None;
                self.take(&prefix, &mut fields);
                prefix.clear();
            }
            if line.code.starts_with("class ") && line.code.contains("BaseSettings") {
                class = Some(line.indent);
            } else if class.is_some() {
                if let Some(captured) = PREFIX.captures(&line.code) {
                    prefix = captured[1].to_ascii_uppercase();
                } else {
                    fields.extend(field(&line.code));
                }
            }
        }
        self.take(&prefix, &mut fields);
    }

    fn take(&mut self, prefix: &str, fields: &mut Vec<Field>) {
        for mut field in fields.drain(..) {
            field.variable = format!("{prefix}{}", field.variable);
            self.fields.push(field);
        }
    }

    /// Whether some source may read a variable: it says its name, or what is left of it behind a
    /// prefix of settings.
    pub fn may_read(&self, repository: &Repository, name: &str) -> bool {
        if source::says(repository, name) {
            return true;
        }
        let upper = name.to_ascii_uppercase();
        let rests = self.prefixes.iter().filter(|prefix| !prefix.is_empty());
        let rests = rests.filter_map(|prefix| upper.strip_prefix(prefix.as_str()));
        rests
            .filter_map(|rest| rest.split("__").next())
            .any(|rest| source::says(repository, rest))
    }

    /// The field of a variable.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.variable.eq_ignore_ascii_case(name))
    }
}

fn field(code: &str) -> Option<Field> {
    let captured = FIELD.captures(code)?;
    let kind = captured.get(2).map_or("", |kind| kind.as_str());
    let literal = kind.split_once("Literal[").map(|(_, rest)| rest);
    let choices = literal.map_or_else(Vec::new, |rest| {
        let inside = rest.split(']').next().unwrap_or(rest);
        QUOTED
            .captures_iter(inside)
            .map(|one| one[1].to_owned())
            .collect()
    });
    let value = captured.get(3).map_or("", |value| value.as_str());
    Some(Field {
        variable: captured[1].to_ascii_uppercase(),
        choices,
        default: DEFAULT.captures(value).map(|one| one[1].to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, expected: bool) -> Environment {
        let repository = super::super::tests::repository(&[("s.py", text)]);
        let mut environment = Environment::default();
        environment.add(&Python::read("s.py", text));
        assert_eq!(environment.may_read(&repository, name), expected, "{name}");
        environment
    }

    #[test]
    fn settings_have_prefixes_choices_and_defaults() {
        let prefix = "    model_config = SettingsConfigDict(env_prefix='MCP_')\n";
        let text = format!(
            "class S(BaseSettings):\n{prefix}    host: str = Field(default=\"127.0.0.1\", x=1)\n    \
             log_level: Literal['a', 'b'] = 'a'\nother: str = ''\n"
        );
        let environment = check(&text, "mcp_host", true);
        check(&text, "MCP_PORT", false);
        let field = environment.field("MCP_LOG_LEVEL");
        assert_eq!(field.map(|field| field.choices.len()), Some(2));
        let text = text.replace(prefix, "");
        let environment = check(&text, "HOST", true);
        check(&text, "MCP_HOST", false);
        let field = environment.field("HOST").unwrap();
        assert_eq!(field.default.as_deref(), Some("127.0.0.1"));
    }

    #[test]
    fn plain_reads_have_a_default() {
        let environment = check("x = os.environ.get('HOST', '127.0.0.1')\n", "HOST", true);
        let field = environment.field("HOST").unwrap();
        assert_eq!(field.default.as_deref(), Some("127.0.0.1"));
    }
}
