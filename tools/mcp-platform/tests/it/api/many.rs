//! Two instances and fifty clients on the same servers: no lost update, no wrong status.

use serde_json::{Value, json};

use super::stand::{Settings, Stand};

const ALL: &str = "/api/templates/deployments/";
const CLIENTS: u32 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_and_fifty_clients() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("servers.json");
    let settings = || Settings {
        shared: Some(file.clone()),
        ..Settings::default()
    };
    let stands = [Stand::with(settings()).await, Stand::with(settings()).await];
    stands[0].deploy("one").await;

    let deploy = (0..CLIENTS).map(|number| {
        let stand = &stands[number as usize % 2];
        async move {
            let body = json!({"name": format!("server-{}", number % 5)});
            stand.post("/api/templates/deploy/echo/", &body).await
        }
    });
    for (status, answer) in futures::future::join_all(deploy).await {
        assert!(matches!(status, 200 | 201), "{status}: {answer}");
    }
    let (_, all) = stands[1].get(ALL).await;
    assert_eq!(all["count"], 6, "{all}");

    let scale = (0..CLIENTS).map(|number| {
        let stand = &stands[number as usize % 2];
        async move {
            let body = json!({"replicas": 1 + number % 4});
            let answer = stand.post(&format!("{ALL}one/scale/"), &body).await;
            (1 + number % 4, answer)
        }
    });
    for (replicas, (status, answer)) in futures::future::join_all(scale).await {
        match status {
            // Who is told that it came true, was there when it did.
            200 => assert_eq!(ready(&answer), u64::from(replicas), "{answer}"),
            // Somebody else wanted something else meanwhile, and it says so.
            409 => assert!(answer["detail"].as_str().unwrap().contains("somebody else")),
            _ => panic!("{status}: {answer}"),
        }
    }
    // After the storm the last word holds, on both.
    let (status, answer) = stands[0]
        .post(&format!("{ALL}one/scale/"), &json!({"replicas": 2}))
        .await;
    assert_eq!((status, ready(&answer)), (200, 2));
    for stand in &stands {
        let (_, shown) = stand.get(&format!("{ALL}one/")).await;
        assert_eq!(ready(&shown), 2);
        assert_eq!(shown["deployment"]["status"], "running");
    }
}

fn ready(answer: &Value) -> u64 {
    answer["deployment"]["ready_replicas"].as_u64().unwrap()
}
