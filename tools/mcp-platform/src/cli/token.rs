//! `token create`, `token list`, `token revoke`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::api::caller::Role;
use crate::api::tokens::{self, Token};
use crate::error::{Error, Result};
use crate::model::Name;
use crate::world::{self, World};

use super::output::table;
use super::serve::token_path;
use super::{Format, General, Output};

/// Arguments of `token`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// The file of tokens; `tokens.toml` in the state folder unless said otherwise
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MCP_TOKENS",
        hide_env_values = true
    )]
    tokens: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a token; it is shown once, and only its hash is kept
    Create(Create),
    /// Show all tokens, without the tokens themselves
    List,
    /// Take a token away; whoever holds it is refused from the next request on
    Revoke {
        /// The token's name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// A name for the token, such as the one of who gets it
    #[arg(value_name = "NAME")]
    name: String,
    /// What it allows: look; start, stop, scale and restart too; everything
    #[arg(long, value_enum, default_value_t = Role::Viewer)]
    role: Role,
    /// A namespace that it is for, several times for several; without it, all
    #[arg(long, value_name = "NAMESPACE")]
    for_namespace: Vec<String>,
    /// Days until it expires; without it, it does not
    #[arg(long, value_name = "DAYS")]
    expires_in: Option<u32>,
}

#[derive(Serialize)]
struct Created<'a> {
    name: &'a str,
    role: Role,
    token: &'a str,
}

#[derive(Serialize)]
struct Listed {
    tokens: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    role: Role,
    namespaces: Vec<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
}

/// Makes, shows or takes away tokens.
///
/// # Errors
/// The file cannot be read or written, or a name is wrong.
pub fn run(general: &General, world: &World, output: &Output, arguments: Arguments) -> Result<()> {
    if general.namespace_named {
        // Taken in silence, it would make a token for all of them.
        return Err(
            Error::invalid("--namespace says where a verb works, not what a token is for")
                .hint("mcp-platform token create NAME --for-namespace NAMESPACE"),
        );
    }
    let path = token_path(world, arguments.tokens.as_deref());
    match arguments.verb {
        Verb::Create(create) => self::create(&path, output, &create),
        Verb::List => list(&path, output),
        Verb::Revoke { name } => {
            tokens::revoke(&path, &Name::label(&name)?)?;
            output.progress(&format!("revoked {name}"));
            Ok(())
        }
    }
}

fn create(path: &std::path::Path, output: &Output, create: &Create) -> Result<()> {
    let now = world::now();
    let expires = match create.expires_in {
        None => None,
        Some(days) => Some(
            now.checked_add(SignedDuration::from_hours(24 * i64::from(days)))
                .map_err(|error| Error::invalid(format!("--expires-in {days}: {error}")))?,
        ),
    };
    let token = Token {
        name: Name::label(&create.name)?,
        role: create.role,
        namespaces: create
            .for_namespace
            .iter()
            .map(|text| Name::label(text))
            .collect::<Result<_>>()?,
        created: now,
        expires,
        sha256: String::new(),
    };
    let secret = tokens::create(path, token, &world::random)?;
    output.progress("keep it: it is not shown again");
    output.result(
        &format!("{}\n", secret.expose()),
        &Created {
            name: &create.name,
            role: create.role,
            token: secret.expose(),
        },
    );
    Ok(())
}

fn list(path: &std::path::Path, output: &Output) -> Result<()> {
    let tokens = tokens::read(path)?.unwrap_or_default();
    let shown: Vec<Shown> = tokens
        .iter()
        .map(|token| Shown {
            name: token.name.to_string(),
            role: token.role,
            namespaces: token.namespaces.iter().map(ToString::to_string).collect(),
            created: token.created,
            expires: token.expires,
        })
        .collect();
    if shown.is_empty() && output.format() == Format::Text {
        output.progress("there are no tokens");
    }
    let mut rows = Vec::new();
    if !shown.is_empty() {
        rows.push(
            ["NAME", "ROLE", "NAMESPACES", "EXPIRES"]
                .map(str::to_owned)
                .to_vec(),
        );
    }
    for token in &shown {
        rows.push(vec![
            token.name.clone(),
            token.role.word().to_owned(),
            if token.namespaces.is_empty() {
                "all".to_owned()
            } else {
                token.namespaces.join(",")
            },
            token
                .expires
                .map_or_else(|| "never".to_owned(), |expires| expires.to_string()),
        ]);
    }
    output.result(&table(&rows), &Listed { tokens: shown });
    Ok(())
}
