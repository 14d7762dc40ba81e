//! One contract for all back ends: the same suite on the mock, on processes, on a real engine and on
//! a real cluster. What differs between them is in the fixtures, and nowhere else.

mod fixture;
mod life;

use fixture::Fixture;

/// The whole life of a server.
async fn holds(fixture: Fixture) {
    life::from_deploy_to_nothing_left(&fixture).await;
    life::every_fault_is_named_and_leaves_nothing(&fixture).await;
    life::nothing_secret_shows(&fixture).await;
    life::companions_end_after_their_server(&fixture).await;
}

#[tokio::test]
async fn on_the_mock() {
    holds(fixture::mock()).await;
}

#[tokio::test]
async fn on_processes() {
    let room = crate::process::Room::new();
    holds(fixture::process(&room)).await;
}

#[tokio::test]
async fn on_docker() {
    let Some(room) = crate::docker::room("contract").await else {
        return;
    };
    holds(fixture::docker(&room)).await;
}

#[test]
fn on_kubernetes() {
    crate::kubernetes::place::within(|place| async move {
        holds(fixture::kubernetes(&place)).await;
    });
}
