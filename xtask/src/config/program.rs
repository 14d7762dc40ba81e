//! `[program.NAME]`: the container image of a program that Cargo builds. Pure.

use camino::Utf8PathBuf;

use super::image::{self, Image};
use super::reader::{Reader, Table};
use super::stays_inside;
use crate::image::{Platform, tag};

/// `[program.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What the image and the program in it are called.
    pub name: String,
    /// The folder of the workspace's `Cargo.toml`, from the root.
    pub path: Utf8PathBuf,
    /// The package; by default the name.
    pub package: String,
    /// The binary of that package; by default the name.
    pub binary: String,
    /// The base, as [`crate::image::reference::parse`] reads it; by default that of `[image]`, whose
    /// layers users then have once.
    pub base: String,
    /// What it is built for.
    pub platforms: Vec<Platform>,
    /// The number of the user and group that it runs as.
    pub user: u32,
    /// The port that it listens on, if it does.
    pub port: Option<u16>,
    /// Its arguments for asking whether the one that runs in the container is alive.
    pub health: Option<Vec<String>>,
    /// Its arguments when the caller gives none.
    pub arguments: Vec<String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Labels beside those that every image has.
    pub labels: Vec<(String, String)>,
}

/// Reads all of them; `server` is the image of the server.
pub(super) fn read(
    reader: &mut Reader<'_>,
    top: &mut Table<'_>,
    server: Option<&Image>,
) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    for (name, mut table) in reader.named_tables(top, "program") {
        let table = &mut table;
        if tag::repository(&name) != name {
            let message = format!(
                "`program.{name}`: a name has lower-case letters and digits, joined by single -"
            );
            reader.problem(reader.span(table, "base"), message);
        }
        programs.push(Program {
            path: path(reader, table),
            package: reader
                .optional_string(table, "package")
                .unwrap_or_else(|| name.clone()),
            binary: reader
                .optional_string(table, "binary")
                .unwrap_or_else(|| name.clone()),
            base: base(reader, table, server),
            platforms: image::platforms(reader, table),
            user: image::user(reader, table),
            port: image::port(reader, table),
            health: reader.optional_strings(table, "health"),
            arguments: reader
                .optional_strings(table, "arguments")
                .unwrap_or_default(),
            environment: reader.string_map(table, "environment"),
            labels: reader.string_map(table, "labels"),
            name,
        });
        let program = programs.last().expect("one was put in");
        if program.health.is_some() && program.port.is_none() {
            let span = reader.span(table, "health");
            let message = "`health` asks what listens: name its `port`, too";
            reader.problem(span, message);
        }
        reader.finish(table);
    }
    programs
}

fn path(reader: &mut Reader<'_>, table: &mut Table<'_>) -> Utf8PathBuf {
    let path = reader.optional_string(table, "path");
    let path = Utf8PathBuf::from(path.unwrap_or_else(|| ".".to_owned()));
    if !stays_inside(&path) {
        let span = reader.span(table, "path");
        let message = format!("`{path}` is not a folder of this repository");
        reader.problem(span, message);
    }
    path
}

fn base(reader: &mut Reader<'_>, table: &mut Table<'_>, server: Option<&Image>) -> String {
    let base = match server {
        Some(server) => reader
            .optional_string(table, "base")
            .unwrap_or_else(|| server.base.clone()),
        None => reader.string(table, "base"),
    };
    image::check_base(reader, table, &base);
    base
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, parse};
    use crate::image::Platform;

    const REST: &str = "schema = 1\nname = \"demo\"\n[server]\npath = \".\"\nconsole-script = \
        \"demo\"\n[prove.stdio]\narguments = []\n[prove.call]\ntool = \"ping\"\n";

    fn config(text: &str) -> crate::error::Result<Config> {
        parse(&format!("{REST}{text}"), "release.toml")
    }

    #[test]
    fn what_is_not_said_is_the_name_and_the_servers_base() {
        let server = "[image]\nbase = \"oci:base\"\npython = \"3.13\"\n";
        let text = format!("{server}[program.fleet]\n[program.other]\nbase = \"oci:o\"\n");
        let programs = config(&text).unwrap().programs;
        let fleet = &programs[0];
        assert_eq!(
            (fleet.package.as_str(), fleet.binary.as_str()),
            ("fleet", "fleet")
        );
        assert_eq!((fleet.base.as_str(), fleet.user), ("oci:base", 10001));
        assert_eq!(fleet.platforms, Platform::ALL);
        assert_eq!((fleet.path.as_str(), fleet.port), (".", None));
        assert_eq!(programs[1].base, "oci:o");
        assert!(config("").unwrap().programs.is_empty());
    }

    #[test]
    fn every_wrong_key_is_said() {
        let check = |text: &str, expected: &str| {
            let message = config(text).unwrap_err().message;
            assert!(message.contains(expected), "{text}: {message}");
        };
        check("[program.a]\n", "`program.a.base` is missing");
        check("[program.A_b]\nbase = \"oci:o\"\n", "lower-case letters");
        for (line, expected) in [
            ("path = \"../a\"", "is not a folder of this repository"),
            ("user = 0", "`program.a.user` is the number"),
            ("port = 80", "`program.a.port` is a port"),
            ("health = [\"health\"]", "name its `port`"),
            ("platforms = []", "`program.a.platforms` is empty"),
            ("python = \"3.13\"", "unknown key `program.a.python`"),
        ] {
            check(
                &format!("[program.a]\nbase = \"oci:o\"\n{line}\n"),
                expected,
            );
        }
        check("[program.a]\nbase = \"\"\n", "`program.a.base`");
    }
}
