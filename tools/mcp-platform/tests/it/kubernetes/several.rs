//! One instance of the real program on several contexts of a real cluster, one of which is down.

use std::process::Stdio;

use kube::config::Kubeconfig;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::place::{DEADLINE, kubeconfig};

const ALL: &str = "/api/templates/deployments/";

/// The kubeconfig of the tests with two contexts for its cluster, and one for a cluster that is not
/// there.
fn contexts(file: &str) -> String {
    let mut config = Kubeconfig::read_from(file).unwrap();
    let current = config.current_context.clone();
    let of = |name: &str| current.as_deref() == Some(name);
    let one = config.contexts.iter().find(|each| of(&each.name)).cloned();
    let one = one.or_else(|| config.contexts.first().cloned()).unwrap();
    let inner = one.context.clone().unwrap();
    let mut down = config
        .clusters
        .iter()
        .find(|each| each.name == inner.cluster)
        .cloned()
        .unwrap();
    down.name = "down".to_owned();
    down.cluster.as_mut().unwrap().server = Some("https://127.0.0.1:1".to_owned());
    config.clusters.push(down);
    config.contexts = ["first", "second", "down"]
        .map(|name| {
            let mut context = one.clone();
            context.name = name.to_owned();
            let inner = context.context.as_mut().unwrap();
            inner.namespace = Some(name.to_owned());
            if name == "down" {
                inner.cluster = name.to_owned();
            }
            context
        })
        .to_vec();
    config.current_context = Some("second".to_owned());
    serde_json::to_string(&config).unwrap()
}

struct Program {
    _child: Child,
    address: String,
}

async fn serve(folder: &std::path::Path, words: &[&str]) -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
        .args(["serve", "--listen", "127.0.0.1:0", "--rate", "0"])
        .args(["--backend", "kubernetes"])
        .args(words)
        .env_clear()
        .env("HOME", folder)
        .env("MCP_STATE_DIR", folder.join("state"))
        .env("KUBECONFIG", folder.join("config"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.unwrap();
    let line = line.unwrap().unwrap();
    let address = line.split_whitespace().find(|word| word.contains("://"));
    let address = address.unwrap().trim_end_matches('/').to_owned();
    Program {
        _child: child,
        address,
    }
}

async fn get(program: &Program, path: &str) -> (u16, Value) {
    let client = Client::builder().no_proxy().timeout(DEADLINE).build();
    let answer = client.unwrap().get(format!("{}{path}", program.address));
    let answer = answer.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

fn clusters(answer: &Value) -> Vec<(&str, Option<bool>)> {
    let all = answer["clusters"].as_array().unwrap();
    all.iter()
        .map(|one| (one["name"].as_str().unwrap(), one["reachable"].as_bool()))
        .collect()
}

#[tokio::test]
async fn all_contexts_are_served_and_the_one_that_is_down_harms_no_other() {
    let Some(file) = kubeconfig() else {
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config"), contexts(&file)).unwrap();

    let program = serve(folder.path(), &["--clusters", "all"]).await;
    let (status, all) = get(&program, "/api/clusters/").await;
    assert_eq!(status, 200);
    let wanted = [
        ("second", Some(true)),
        ("first", Some(true)),
        ("down", Some(false)),
    ];
    assert_eq!(clusters(&all), wanted, "{all}");
    assert_eq!(get(&program, "/ready").await.0, 200);
    for name in ["first", "second"] {
        let (status, list) = get(&program, &format!("{ALL}?cluster={name}")).await;
        assert_eq!(status, 200, "{list}");
    }
    let (status, problem) = get(&program, &format!("{ALL}?cluster=down")).await;
    assert!(matches!(status, 503 | 504), "{status}: {problem}");
    let (status, problem) = get(&program, &format!("{ALL}?cluster=nowhere")).await;
    assert_eq!(status, 404);
    let hint = problem["hints"][0].as_str().unwrap();
    assert!(hint.contains("second, first, down"), "{problem}");
    drop(program);

    // Those that are named, and in their order; what else there is, is shown.
    let words = ["--cluster", "first", "--cluster", "second"];
    let program = serve(folder.path(), &words).await;
    let (_, all) = get(&program, "/api/clusters/").await;
    let wanted = [
        ("first", Some(true)),
        ("second", Some(true)),
        ("down", None),
    ];
    assert_eq!(clusters(&all), wanted, "{all}");
    let (status, problem) = get(&program, &format!("{ALL}?cluster=down")).await;
    assert_eq!((status, &problem["kind"]), (404, &json!("not-found")));
}
