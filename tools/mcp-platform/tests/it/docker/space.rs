//! An engine whose disk is full: what is said, that nothing half-done is left, and that it goes on
//! once there is room.

use std::path::Path;

use bollard::query_parameters::ListImagesOptionsBuilder;
use futures::TryStreamExt as _;
use mcp_platform::error::Kind;
use mcp_platform::model::{ImageReference, State};
use mcp_platform::template::builtin;
use nix::sys::statvfs::statvfs;
use serde_json::json;

use super::{Room, room, service};
use crate::engine::Engine;

/// How much room there is.
fn room_of(folder: &Path) -> u64 {
    let found = statvfs(folder).unwrap();
    found.blocks_available() * found.fragment_size()
}

/// Fills a file system until so much is left.
fn fill(folder: &Path, leave: u64) {
    let file = std::fs::File::create(folder.join("ballast")).unwrap();
    let size = room_of(folder).saturating_sub(leave);
    nix::fcntl::fallocate(
        file,
        nix::fcntl::FallocateFlags::empty(),
        0,
        i64::try_from(size).unwrap(),
    )
    .unwrap();
}

fn make_room(folder: &Path) {
    std::fs::remove_file(folder.join("ballast")).unwrap();
}

#[tokio::test]
async fn an_engine_without_room() {
    let Some(big) = room("no-room").await else {
        return;
    };
    let exported = big.engine.client();
    let image = big.image.to_string();
    let bytes: Vec<_> = exported.export_image(&image).try_collect().await.unwrap();
    let archive = big.folder.path().join("echo.tar");
    std::fs::write(&archive, bytes.concat()).unwrap();

    let small = Box::leak(Box::new(Engine::small("700m").await));
    let data = small.data();
    let name = ImageReference::parse("team/echo:1").unwrap();
    let mut room = Room {
        service: service(small, &big.folder, builtin().unwrap()),
        engine: small,
        ..big
    };
    let load = async || room.service.backend.load_image(&archive, &name).await;
    fill(&data, 8 << 20);
    let before = room_of(&data);
    let error = load().await.unwrap_err();
    assert_eq!(error.kind, Kind::Unavailable, "{error}");
    let path = archive.display().to_string();
    assert!(error.message.contains(&path), "{error}");
    assert!(error.message.contains("no space left"), "{error}");
    let options = ListImagesOptionsBuilder::new().all(true).build();
    let images = small.client().list_images(Some(options)).await.unwrap();
    assert_eq!(images, []);
    // What it had begun to write is gone, but for its own notes.
    assert!(room_of(&data) + (1 << 20) > before);
    make_room(&data);
    room.image = load().await.unwrap().reference;
    room.deploy_echo("first", 1).await;

    for leave in [0, 32 << 10, 128 << 10, 512 << 10] {
        fill(&data, leave);
        let request = room.request("echo", "second", &json!({}));
        match room.deploy(&request).await {
            Ok(_) => room.delete("second").await,
            Err(error) => {
                assert_eq!(error.kind, Kind::Unavailable, "{leave}: {error}");
                assert!(error.message.contains("no space left"), "{leave}: {error}");
                let left = room.objects("second").await;
                assert_eq!(left, Vec::<String>::new(), "{leave}: {error}");
            }
        }
        assert_eq!(room.state("first").await, State::Running);
        make_room(&data);
    }
    room.deploy_echo("second", 1).await;
    room.delete("second").await;
    room.delete("first").await;
}
