//! One step at a time: containers made, filled, started, retired. Each step may be taken again.

use std::time::{Duration, Instant};

use bollard::models::{NetworkConnectRequest, NetworkCreateRequest, VolumeCreateRequest};
use bollard::query_parameters::{
    ContainerArchiveInfoOptionsBuilder,     CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};

use crate::error::{Error, Kind, Result};
use crate::model::{Spec, Transport, label};

use super::engine::Engine;
use super::record::Record;
use super::refuse::{is_already, is_missing, is_taken, refused};
use super::{body, look, names, pull};

/// Between two looks at the sessions of an instance that is to end.
const LOOK: Duration = Duration::from_millis(300);

/// Makes an instance and starts it. That the engine does not start it is not an error here: the
/// container says so itself, to whoever looks.
///
/// # Errors
/// It cannot be made.
pub async fn create(engine: &Engine, record: &Record, slot: u32) -> Result<()> {
    let spec = &record.spec;
    let Some(reference) = &spec.run.image else {
        return Err(Error::invalid("there is no image to run"));
    };
    let image = pull::ensure(engine, reference).await?;
    let port = record.ports.get(slot as usize).copied().ok_or_else(|| {
        Error::internal(format!(
            "there is no port for instance {slot} in the record"
        ))
    })?;
    let owner = body::user(&image);
    let name = names::replica(&spec.identity, &spec.revision(), slot);
    for volume in spec.volumes.iter().filter(|volume| volume.size > 0) {
        let volume = names::volume(&spec.identity, &volume.name, slot);
        ensure_volume(engine, spec, &volume).await?;
    }
    make(engine, &name, body::replica(record, slot, port, &image)).await?;
    if has_companions(spec) {
        join(engine, &names::inner_network(&spec.identity), &name).await?;
    }
    for volume in spec.volumes.iter().filter(|volume| volume.size > 0) {
        let volume = names::volume(&spec.identity, &volume.name, slot);
        hand_over(engine, spec, &volume, &owner).await?;
    }
    fill(engine, spec, &name, &owner).await?;
    start(engine, &name).await?;
    Ok(())
}

/// Whether any companion is started.
pub fn has_companions(spec: &Spec) -> bool {
    spec.companions.iter().any(|companion| companion.enabled)
}

/// Makes a container.
///
/// # Errors
/// `Conflict` when another container has its name, else what the engine says.
pub async fn make(
    engine: &Engine,
    name: &str,
    body: bollard::models::ContainerCreateBody,
) -> Result<()> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    engine
        .docker()
        .await?
        .create_container(Some(options), body)
        .await
        .map_err(|error| refused(&format!("the container {name}"), error))?;
    Ok(())
}

/// Starts a container; says whether the engine did.
///
/// # Errors
/// The engine cannot be asked.
pub async fn start(engine: &Engine, name: &str) -> Result<bool> {
    let options = None::<bollard::query_parameters::StartContainerOptions>;
    match engine.docker().await?.start_container(name, options).await {
        Ok(()) => Ok(true),
        Err(error) if is_already(&error) => Ok(true),
        Err(error) => match refused(name, error) {
            error if error.kind == Kind::Unavailable && !error.message.contains("no space") => {
                Err(error)
            }
            _ => Ok(false),
        },
    }
}

/// Ends a container with a grace period and removes it.
///
/// # Errors
/// The engine does not.
pub async fn end(engine: &Engine, name: &str, grace: u32) -> Result<()> {
    let options = StopContainerOptionsBuilder::new()
        .t(i32::try_from(grace).unwrap_or(i32::MAX))
        .build();
    match engine
        .docker()
        .await?
        .stop_container(name, Some(options))
        .await
    {
        Ok(()) => {}
        Err(error) if is_already(&error) => {}
        Err(error) => return Err(refused(&format!("stopping {name}"), error)),
    }
    remove(engine, name).await
}

/// Removes a container, killing it if it runs.
///
/// # Errors
/// The engine does not.
pub async fn remove(engine: &Engine, name: &str) -> Result<()> {
    let options = RemoveContainerOptionsBuilder::new()
        .force(true)
        .v(true)
        .build();
    match engine
        .docker()
        .await?
        .remove_container(name, Some(options))
        .await
    {
        Ok(()) => Ok(()),
        // Gone, or somebody else is removing it.
        Err(error) if is_missing(&error) || is_taken(&error) => Ok(()),
        Err(error) => Err(refused(&format!("removing {name}"), error)),
    }
}

/// Waits until an instance has no active session, at most as long as the template says; says whether
/// it is still to end: something else may be wanted by now.
///
/// # Errors
/// The engine cannot be asked.
pub async fn drained(engine: &Engine, record: &Record, name: &str) -> Result<bool> {
    let spec = &record.spec;
    let Some(page) = &spec.sessions else {
        return Ok(true);
    };
    let Some(port) = engine
        .container(name)
        .await?
        .filter(super::state::running)
        .as_ref()
        .and_then(super::state::port)
    else {
        return Ok(true);
    };
    let deadline = Instant::now() + Duration::from_secs(u64::from(spec.drain_seconds));
    while Instant::now() < deadline {
        if matches!(look::sessions(engine, page, port).await, None | Some(0)) {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
        let newest = engine.record(&spec.identity).await?;
        if newest.is_none_or(|newest| newest.generation != record.generation) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The networks of a server.
///
/// # Errors
/// The engine does not make them.
pub async fn ensure_networks(engine: &Engine, spec: &Spec) -> Result<()> {
    let there = engine.networks(&names::of_server(&spec.identity)).await?;
    let mut wanted = vec![(names::network(&spec.identity), false)];
    if has_companions(spec) {
        wanted.push((names::inner_network(&spec.identity), true));
    }
    for (name, internal) in wanted {
        if there.contains(&name) {
            continue;
        }
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            internal: Some(internal),
            labels: Some(names::labels(spec, names::PART)),
            ..NetworkCreateRequest::default()
        };
        match engine.docker().await?.create_network(request).await {
            Ok(_) => {}
            Err(error) if is_taken(&error) => {}
            Err(error) => return Err(refused(&format!("the network {name}"), error)),
        }
    }
    Ok(())
}

/// A named volume with our labels; one that is there stays as it is.
///
/// # Errors
/// The engine does not make it, or it belongs to somebody else.
pub async fn ensure_volume(engine: &Engine, spec: &Spec, name: &str) -> Result<()> {
    let request = VolumeCreateRequest {
        name: Some(name.to_owned()),
        labels: Some(names::labels(spec, names::PART)),
        ..VolumeCreateRequest::default()
    };
    let volume = engine
        .docker()
        .await?
        .create_volume(request)
        .await
        .map_err(|error| refused(&format!("the volume {name}"), error))?;
    if volume.labels.get(label::MANAGED_BY).map(String::as_str) != Some(label::MANAGED_BY_VALUE) {
        return Err(Error::conflict(format!(
            "the volume {name} exists and was not made by this platform"
        ))
        .hint(format!("docker volume inspect {name}")));
    }
    Ok(())
}

/// Puts a container on one more network.
///
/// # Errors
/// The engine does not.
async fn join(engine: &Engine, network: &str, container: &str) -> Result<()> {
    let request = NetworkConnectRequest {
        container: container.to_owned(),
        ..NetworkConnectRequest::default()
    };
    match engine
        .docker()
        .await?
        .connect_network(network, request)
        .await
    {
        Ok(()) => Ok(()),
        Err(error) => Err(refused(&format!("the network {network}"), error)),
    }
}

/// Gives the top of a volume to the user of a container, when that is a number: a new volume at a
/// path that the image does not have belongs to root. The engine changes owners by unpacking
/// archives only, so a container that never runs lends its root for that.
///
/// # Errors
/// The engine does not.
pub async fn hand_over(engine: &Engine, spec: &Spec, volume: &str, owner: &str) -> Result<()> {
    let Some((user, group)) = numbers(owner) else {
        return Ok(());
    };
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o770);
    header.set_uid(user);
    header.set_gid(group);
    header.set_size(0);
    archive
        .append_data(&mut header, "volume/", std::io::empty())
        .map_err(archive_error)?;
    let archive = archive.into_inner().map_err(archive_error)?;
    let lender = format!("{volume}.owner");
    // One that was left over when somebody was ended here.
    remove(engine, &lender).await?;
    make(engine, &lender, body::lender(spec, volume)).await?;
    let done = upload(engine, &lender, "/", archive).await;
    remove(engine, &lender).await?;
    done
}

/// Puts files and, for a server over standard input and output, our own program into a container.
async fn fill(engine: &Engine, spec: &Spec, container: &str, owner: &str) -> Result<()> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut entries = 0;
    let (user, group) = numbers(owner).unwrap_or((0, 0));
    // A user known by name only cannot be made the owner, so everybody in the container may read.
    let mode = if numbers(owner).is_some() {
        0o400
    } else {
        0o444
    };
    let open = spec.files.iter().map(|(path, text)| (path, text.as_str()));
    let secret = spec.secrets.files.iter();
    for (path, text) in open.chain(secret.map(|(path, text)| (path, text.expose()))) {
        let mut header = tar::Header::new_gnu();
        header.set_mode(mode);
        header.set_uid(user);
        header.set_gid(group);
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, path.trim_start_matches('/'), text.as_bytes())
            .map_err(archive_error)?;
        entries += 1;
    }
    if spec.transport == Transport::Stdio {
        let bytes = tokio::fs::read(&engine.place.program)
            .await
            .map_err(|error| {
                Error::precondition(format!("{}: {error}", engine.place.program.display()))
            })?;
        can_run(engine, spec, container, &bytes).await?;
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o555);
        header.set_size(bytes.len() as u64);
        archive
            .append_data(
                &mut header,
                body::BRIDGE.trim_start_matches('/'),
                &bytes[..],
            )
            .map_err(archive_error)?;
        entries += 1;
    }
    if entries == 0 {
        return Ok(());
    }
    upload(
        engine,
        container,
        "/",
        archive.into_inner().map_err(archive_error)?,
    )
    .await
}

/// Whether our own program can run in a container: it is linked against a C library, and the image
/// must have its loader.
async fn can_run(engine: &Engine, spec: &Spec, container: &str, program: &[u8]) -> Result<()> {
    let Some(loader) = super::elf::loader(program) else {
        return Ok(());
    };
    let options = ContainerArchiveInfoOptionsBuilder::new().path(&loader).build();
    let docker = engine.docker().await?;
    match docker.get_container_archive_info(container, Some(options)).await {
        Err(error) if is_missing(&error) => Err(Error::new(
            Kind::Failed,
            format!(
                "{}: {} speaks over standard input and output, which needs the platform's own program in its container, and that cannot run there: the image has no {loader} (configuration)",
                spec.identity, spec.template
            ),
        )
        .hint("use an image with the C library of this machine, such as one based on Debian")
        .hint("or let the server itself speak streamable HTTP")),
        _ => Ok(()),
    }
}

async fn upload(engine: &Engine, container: &str, path: &str, archive: Vec<u8>) -> Result<()> {
    let options = UploadToContainerOptionsBuilder::new().path(path).build();
    engine
        .docker()
        .await?
        .upload_to_container(container, Some(options), bollard::body_full(archive.into()))
        .await
        .map_err(|error| refused(&format!("putting files into {container} at {path}"), error))
}

fn numbers(owner: &str) -> Option<(u64, u64)> {
    let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
    Some((user.parse().ok()?, group.parse().ok()?))
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn archive_error(error: std::io::Error) -> Error {
    Error::internal(format!("an archive for a container: {error}"))
}
