//! Clusters by name: contexts, a folder of kubeconfigs, and broken ones among them.

use std::collections::BTreeMap;
use std::path::Path;

use mcp_platform::backend::kubernetes::clusters::{connect, list};
use mcp_platform::error::Kind;
use mcp_platform::world::World;

const KUBECONFIG: &str = "apiVersion: v1
kind: Config
current-context: NAME
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: hunter2hunter2}}]
contexts:
- {name: NAME, context: {cluster: c, user: u}}
- {name: other, context: {cluster: c, user: u}}
- {name: astray, context: {cluster: nowhere, user: u}}
";

fn world(folder: &Path) -> World {
    let (main, many) = (folder.join("main"), folder.join("many"));
    std::fs::write(&main, KUBECONFIG.replace("NAME", "home")).unwrap();
    std::fs::create_dir(&many).unwrap();
    std::fs::write(
        many.join("east.yaml"),
        KUBECONFIG.replace("NAME", "whatever"),
    )
    .unwrap();
    std::fs::write(many.join("broken.yaml"), "a: [").unwrap();
    std::fs::write(many.join("notes.txt"), "not a kubeconfig").unwrap();
    World {
        environment: BTreeMap::from([
            ("KUBECONFIG".to_owned(), main.display().to_string()),
            ("KUBECONFIG_DIR".to_owned(), many.display().to_string()),
        ]),
        folder: folder.to_owned(),
        program: folder.join("program"),
    }
}

#[test]
fn a_broken_one_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    let all = list(&world);
    let found: Vec<(&str, bool, bool)> = all
        .iter()
        .map(|one| (one.name.as_str(), one.current, one.problem.is_none()))
        .collect();
    assert_eq!(
        found,
        [
            ("home", true, true),
            ("other", false, true),
            ("astray", false, false),
            ("broken", false, false),
            ("east", false, true),
            ("east/other", false, true),
            ("east/astray", false, false),
        ]
    );
    assert!(!format!("{all:?}").contains("hunter2"));
}

#[tokio::test]
async fn one_is_chosen_by_name() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path());
    assert_eq!(connect(&world, None).await.unwrap().name, "home");
    assert_eq!(
        connect(&world, Some("east")).await.unwrap().server,
        "https://127.0.0.1:1"
    );
    let kind = |name| {
        let world = &world;
        async move { connect(world, Some(name)).await.err().unwrap().kind }
    };
    assert_eq!(kind("nowhere").await, Kind::NotFound);
    assert_eq!(kind("broken").await, Kind::Precondition);
    assert_eq!(kind("astray").await, Kind::Precondition);
}
