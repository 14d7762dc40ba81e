//! `backup` and `restore`.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::backend::Scope;
use crate::error::{Error, Kind, Result};
use crate::service::{Backup, Restored, Restoring, WithSecrets, complete};
use crate::world::World;

use super::{General, Output};

/// Arguments of `backup`.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to write, only for its owner to read; - for stdout
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the secrets too, in the open
    #[arg(long)]
    with_secrets: bool,
    /// Servers of all namespaces
    #[arg(long)]
    all_namespaces: bool,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The file of a backup; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Written {
    file: PathBuf,
    servers: usize,
    foreign: usize,
    secrets: bool,
}

#[derive(Serialize)]
struct Answer {
    complete: bool,
    servers: Vec<Restored>,
}

/// Writes the file.
///
/// # Errors
/// The back end cannot be reached, or the file not written.
pub async fn backup(
    general: &General,
    world: &World,
    output: &Output,
    arguments: &BackupArguments,
) -> Result<()> {
    let service = general.service(world).await?;
    let scope = Scope {
        namespace: if arguments.all_namespaces {
            None
        } else {
            Some(general.namespace()?)
        },
        template: None,
    };
    let secrets = if arguments.with_secrets {
        WithSecrets::Yes
    } else {
        WithSecrets::No
    };
    let backup = service.backup(&scope, secrets).await?;
    let mut text = serde_json::to_string_pretty(&backup)
        .map_err(|error| Error::internal(format!("the backup: {error}")))?;
    text.push('\n');
    for identity in &backup.foreign {
        output.progress(&format!(
            "left out {identity}: this platform did not deploy it"
        ));
    }
    if arguments.with_secrets {
        output.progress("warning: the file holds secrets in the open; keep it as you keep them");
    } else if backup
        .servers
        .iter()
        .any(|saved| !saved.secret_names.is_empty())
    {
        output.progress(
            "secrets are left out; restore needs them from the servers themselves, or --with-secrets",
        );
    }
    if arguments.file.as_os_str() == "-" {
        output.raw(text.as_bytes());
        return Ok(());
    }
    let path = world.folder.join(&arguments.file);
    let failed =
        |error: std::io::Error| Error::precondition(format!("{}: {error}", path.display()));
    let folder = path.parent().unwrap_or(&world.folder);
    // Made for its owner alone, then swapped in whole.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    let written = Written {
        file: arguments.file.clone(),
        servers: backup.servers.len(),
        foreign: backup.foreign.len(),
        secrets: arguments.with_secrets,
    };
    let text = format!(
        "wrote {} servers into {}\n",
        written.servers,
        arguments.file.display()
    );
    output.result(&text, &written);
    Ok(())
}

/// Restores the servers of a file.
///
/// # Errors
/// The file is no backup, or a server is not as it was.
pub async fn restore(
    general: &General,
    world: &World,
    output: &Output,
    arguments: &RestoreArguments,
) -> Result<()> {
    let shown = arguments.file.display();
    let text = if arguments.file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(world.folder.join(&arguments.file))
    }
    .map_err(|error| Error::invalid(format!("{shown}: {error}")))?;
    let document = serde_json::from_str(&text).map_err(|error| {
        Error::invalid(format!(
            "{shown} is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ))
    })?;
    let backup = Backup::read(document)?;
    let service = general.service(world).await?;
    let restoring = if arguments.dry_run {
        Restoring::Plan
    } else {
        Restoring::Act
    };
    let servers = service.restore(&backup, restoring, output).await;
    let mut text = String::new();
    for restored in &servers {
        text.push_str(&line(restored));
    }
    let kinds: Vec<Kind> = servers
        .iter()
        .filter_map(|restored| restored.kind)
        .collect();
    let answer = Answer {
        complete: complete(&servers),
        servers,
    };
    output.result(&text, &answer);
    match kinds.first() {
        None => Ok(()),
        Some(kind) => Err(Error::new(
            *kind,
            format!(
                "{} of {} servers are not as they were",
                kinds.len(),
                answer.servers.len()
            ),
        )),
    }
}

fn line(restored: &Restored) -> String {
    let identity = &restored.identity;
    match &restored.error {
        Some(error) => {
            let mut text = format!("{identity}: {error}\n");
            for hint in &restored.hints {
                text.push_str(&format!("  try: {hint}\n"));
            }
            text
        }
        None if restored.actions.is_empty() => format!("{identity}: as it was\n"),
        None => format!("{identity}: {}\n", restored.actions.join("; ")),
    }
}
