//! `[image]`: the container image of the server. Pure.

use super::Http;
use super::reader::{Reader, Table};
use crate::image::{Libc, Platform, reference};

/// `[image]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The base, as [`reference::parse`] reads it.
    pub base: String,
    /// The version of the interpreter in the base, such as `3.13`.
    pub python: String,
    /// What it is built for.
    pub platforms: Vec<Platform>,
    /// The C library of the base.
    pub libc: Libc,
    /// What engines call it, without a registry; by default the release's name.
    pub name: Option<String>,
    /// The number of the user and group that the server runs as.
    pub user: u32,
    /// The port that the server listens on.
    pub port: Option<u16>,
    /// The page that says that it is alive.
    pub health: Option<String>,
    /// Arguments of the console script.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Labels beside those that every image has.
    pub labels: Vec<(String, String)>,
}

/// The user that is none of a base's.
const USER: u32 = 10001;

/// Where servers listen unless they are told.
const PORT: u16 = 8000;

/// Reads `[image]`; `http` is how the server is proved over HTTP, which says how it is started.
pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &mut Table<'_>,
    http: Option<&Http>,
) -> Option<Image> {
    let mut table = reader.table(top, "image");
    if !table.is_present() {
        return None;
    }
    let base = base(reader, &mut table);
    let python = python(reader, &mut table);
    let port = port(reader, &mut table).or(http.map(|_| PORT));
    let health = reader
        .optional_string(&mut table, "health")
        .or_else(|| http.map(|http| http.health.clone()));
    if health.as_ref().is_some_and(|path| !path.starts_with('/')) {
        let span = reader.span(&table, "health");
        reader.problem(span, "`image.health` must begin with a slash");
    }
    let filled = |text: &String| {
        let port = port.unwrap_or(PORT).to_string();
        text.replace("{host}", "0.0.0.0").replace("{port}", &port)
    };
    let given = reader.optional_strings(&mut table, "arguments");
    let proved = || http.map(|http| http.launch.arguments.clone());
    let arguments = given.or_else(proved).unwrap_or_default();
    let has_environment = table.has("environment");
    let mut environment = reader.string_map(&mut table, "environment");
    if let Some(http) = http.filter(|_| !has_environment) {
        let proved = http.launch.environment.iter();
        // A token is given to each container, and belongs into no image.
        environment = proved
            .filter(|(_, value)| !value.contains("{token}"))
            .cloned()
            .collect();
    }
    let image = Image {
        base,
        python,
        platforms: platforms(reader, &mut table),
        libc: libc(reader, &mut table),
        name: reader.optional_string(&mut table, "name"),
        user: user(reader, &mut table),
        port,
        health,
        arguments: arguments.iter().map(filled).collect(),
        environment: environment
            .iter()
            .map(|(name, value)| (name.clone(), filled(value)))
            .collect(),
        labels: reader.string_map(&mut table, "labels"),
    };
    reader.finish(&table);
    Some(image)
}

fn base(reader: &mut Reader<'_>, table: &mut Table<'_>) -> String {
    let base = reader.string(table, "base");
    check_base(reader, table, &base);
    base
}

/// Notes a base that is none.
pub(super) fn check_base(reader: &mut Reader<'_>, table: &Table<'_>, base: &str) {
    if table.has("base")
        && let Err(error) = reference::parse(base)
    {
        let span = reader.span(table, "base");
        let key = table.full("base");
        reader.problem(span, format!("`{key}`: {}", error.message));
    }
}

fn python(reader: &mut Reader<'_>, table: &mut Table<'_>) -> String {
    let python = reader.string(table, "python");
    if table.has("python") && !is_python(&python) {
        let span = reader.span(table, "python");
        let message = format!("`image.python` is `{python}`; give a version such as \"3.13\"");
        reader.problem(span, message);
    }
    python
}

/// Whether this is a version of Python 3, with two numbers or three.
pub fn is_python(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| {
        let digits = !part.is_empty() && part.len() <= 3;
        digits && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    matches!(parts.len(), 2 | 3) && parts[0] == "3" && parts.iter().all(is_number)
}

pub(super) fn platforms(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Vec<Platform> {
    let Some(words) = reader.optional_strings(table, "platforms") else {
        return Platform::ALL.to_vec();
    };
    let mut platforms = Vec::new();
    for word in &words {
        match Platform::parse(word) {
            Ok(platform) => platforms.push(platform),
            Err(error) => {
                let span = reader.span(table, "platforms");
                let key = table.full("platforms");
                reader.problem(span, format!("`{key}`: {}", error.message));
            }
        }
    }
    if words.is_empty() {
        let span = reader.span(table, "platforms");
        let key = table.full("platforms");
        let message = format!("`{key}` is empty: name linux/amd64, linux/arm64 or both");
        reader.problem(span, message);
    }
    platforms.sort();
    platforms.dedup();
    platforms
}

fn libc(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Libc {
    let Some(text) = reader.optional_string(table, "libc") else {
        return Libc::DEFAULT;
    };
    Libc::parse(&text).unwrap_or_else(|| {
        let span = reader.span(table, "libc");
        let message = format!(
            "`image.libc` is `{text}`; give the base's, such as \"glibc-2.36\" (2.17 or newer) or \
             \"musl-1.2\""
        );
        reader.problem(span, message);
        Libc::DEFAULT
    })
}

pub(super) fn user(reader: &mut Reader<'_>, table: &mut Table<'_>) -> u32 {
    let number = reader
        .optional_number(table, "user")
        .unwrap_or(u64::from(USER));
    match u32::try_from(number) {
        Ok(user) if (1..=i32::MAX.unsigned_abs()).contains(&user) => user,
        _ => {
            let span = reader.span(table, "user");
            let key = table.full("user");
            let message = format!("`{key}` is the number of a user that is not root");
            reader.problem(span, message);
            USER
        }
    }
}

pub(super) fn port(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Option<u16> {
    let number = reader.optional_number(table, "port")?;
    let port = u16::try_from(number).ok().filter(|port| *port >= 1024);
    if port.is_none() {
        let span = reader.span(table, "port");
        let key = table.full("port");
        let message = format!("`{key}` is a port from 1024 to 65535: others are root's");
        reader.problem(span, message);
    }
    port
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, parse};
    use crate::image::{Libc, Platform};

    const REST: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \".\"\nconsole-script = \
        \"demo\"\n[prove.call]\ntool = \"ping\"\n[prove.http]\narguments = [\"--host\", \"{host}\", \
        \"--port\", \"{port}\"]\nenvironment = { TOKEN = \"{token}\", MODE = \"{port}\" }\n";

    fn config(image: &str) -> crate::error::Result<Config> {
        parse(&format!("{REST}{image}"), "release.toml")
    }

    #[test]
    fn what_is_not_said_is_what_the_proof_does() {
        let text = "[image]\nbase = \"oci:base\"\npython = \"3.13\"\n";
        let image = config(text).unwrap().image.unwrap();
        assert_eq!(image.arguments, ["--host", "0.0.0.0", "--port", "8000"]);
        let mode = ("MODE".to_owned(), "8000".to_owned());
        assert_eq!(image.environment, [mode]);
        assert_eq!(
            (image.port, image.health.as_deref()),
            (Some(8000), Some("/health"))
        );
        assert_eq!(image.platforms, Platform::ALL);
        assert_eq!((image.libc, image.user), (Libc::Glibc(28), 10001));
        assert!(config("").unwrap().image.is_none());
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        let message = config("[image]\n").unwrap_err().message;
        for key in ["`image.base` is missing", "`image.python` is missing"] {
            assert!(message.contains(key), "{message}");
        }
    }

    #[test]
    fn every_wrong_key_is_said() {
        let check = |line: &str, expected: &str| {
            let mut text = "[image]\n".to_owned();
            if !line.starts_with("base") {
                text.push_str("base = \"oci:base\"\n");
            }
            if !line.starts_with("python") {
                text.push_str("python = \"3.13\"\n");
            }
            let error = config(&format!("{text}{line}\n")).unwrap_err();
            assert!(
                error.message.contains(expected),
                "{line}: {}",
                error.message
            );
        };
        check("base = \"A B\"", "`image.base`");
        check("base = \"\"", "`image.base`");
        check("python = \"2.7\"", "`image.python` is `2.7`");
        check("python = \"3.x\"", "`image.python` is `3.x`");
        check("platforms = []", "`image.platforms` is empty");
        check("platforms = [\"windows/amd64\"]", "unknown platform");
        check("libc = \"glibc-2.5\"", "`image.libc`");
        check("user = 0", "not root");
        check("user = 4294967295", "not root");
        check("port = 80", "`image.port`");
        check("port = 70000", "`image.port`");
        check("health = \"health\"", "begin with a slash");
        check("tag = \"x\"", "unknown key `image.tag`");
    }
}
