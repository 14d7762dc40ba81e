//! Several clusters in one instance: requests choose, and one that is down harms no other.

use mcp_platform::api::caller::Role;
use mcp_platform::backend::mock::Faults;
use reqwest::Method;
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::stand::{PATIENCE, Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";

async fn two() -> Stand {
    Stand::with(Settings {
        more: vec!["there"],
        ..Settings::default()
    })
    .await
}

fn names(list: &Value) -> Vec<&str> {
    let all = list["deployments"].as_array().unwrap();
    all.iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn each_request_chooses_its_cluster() {
    let stand = two().await;
    stand.deploy("one").await;
    let there = "/api/templates/deploy/echo/?cluster=there";
    for name in ["one", "two"] {
        let (status, made) = stand.post(there, &json!({"name": name})).await;
        assert_eq!(status, 201, "{made}");
    }
    let (_, list) = stand.get(ALL).await;
    assert_eq!(names(&list), ["one"]);
    assert_eq!(stand.get(&format!("{ALL}?cluster=here")).await.1, list);
    let (_, list) = stand.get(&format!("{ALL}?cluster=there")).await;
    assert_eq!(names(&list), ["one", "two"]);
    // The next page is one of the same cluster.
    let (_, page) = stand.get(&format!("{ALL}?cluster=there&limit=1")).await;
    let (_, page) = stand.get(page["next"].as_str().unwrap()).await;
    assert_eq!(names(&page), ["two"]);

    let two = json!({"replicas": 2});
    stand
        .post(&format!("{ALL}one/scale/?cluster=there"), &two)
        .await;
    let (_, here) = stand.get(&format!("{ALL}one/")).await;
    let (_, there) = stand.get(&format!("{ALL}one/?cluster=there")).await;
    assert_eq!(here["deployment"]["replicas"], 1);
    assert_eq!(there["deployment"]["replicas"], 2);
    assert_eq!(stand.get(&format!("{ALL}two/events/")).await.0, 404);
    let events = format!("{ALL}two/events/?cluster=there");
    assert_eq!(stand.get(&events).await.0, 200);

    // What one had is made again on the other.
    let (_, backup) = stand.get("/api/backup/?cluster=there").await;
    let (status, done) = stand.post("/api/restore/?cluster=here", &backup).await;
    assert_eq!(status, 200, "{done}");
    let (_, list) = stand.get(ALL).await;
    assert_eq!(names(&list), ["one", "two"]);
    stand.delete(&format!("{ALL}two/delete/")).await;
    let (_, list) = stand.get(&format!("{ALL}?cluster=there")).await;
    assert_eq!(names(&list), ["one", "two"]);

    let clusters: Vec<Value> = stand
        .audit()
        .into_iter()
        .filter(|line| line["operation"] == "deploy" && line["outcome"] == "done")
        .map(|line| line["cluster"].clone())
        .collect();
    assert_eq!(clusters, ["here", "there", "there"]);
}

#[tokio::test]
async fn a_cluster_that_nobody_knows_is_not_found_and_nothing_is_done() {
    let stand = two().await;
    stand.deploy("one").await;
    let wrong = [
        (Method::GET, ALL.to_owned()),
        (Method::GET, format!("{ALL}one/")),
        (Method::GET, format!("{ALL}one/logs/")),
        (Method::GET, format!("{ALL}one/events/")),
        (Method::GET, format!("{ALL}events/")),
        (Method::GET, "/api/backup/".to_owned()),
        (Method::POST, "/api/templates/deploy/echo/".to_owned()),
        (Method::POST, format!("{ALL}one/stop/")),
        (Method::DELETE, format!("{ALL}one/delete/")),
    ];
    for (method, path) in wrong {
        let asked = stand.ask(method, &format!("{path}?cluster=nowhere"));
        let (status, problem) = answer(asked).await;
        assert_eq!(status, 404, "{path}: {problem}");
        let hint = problem["hints"][0].as_str().unwrap();
        assert!(hint.contains("here, there"), "{problem}");
    }
    assert_eq!(stand.get(&format!("{ALL}one/")).await.0, 200);
}

#[tokio::test]
async fn one_that_is_down_harms_no_other() {
    let stand = two().await;
    stand.deploy("one").await;
    let down = Faults::parse("api-down").unwrap();
    stand.more[0].set_faults(down).unwrap();
    assert_eq!(stand.get(&format!("{ALL}?cluster=there")).await.0, 503);
    assert_eq!(stand.get(ALL).await.0, 200);
    assert_eq!(stand.get("/ready").await.0, 200);
    let (_, all) = stand.get("/api/clusters/").await;
    let said: Vec<(&str, bool)> = all["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            assert_eq!(one["current"], true);
            let name = one["name"].as_str().unwrap();
            (name, one["reachable"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(said, [("here", true), ("there", false)]);
    let (_, metrics) = stand.get("/metrics").await;
    let metrics = metrics.as_str().unwrap();
    for line in [
        "mcp_platform_backend_up{cluster=\"here\"} 1",
        "mcp_platform_backend_up{cluster=\"there\"} 0",
        "mcp_platform_servers{cluster=\"here\",namespace=\"team-a\",state=\"running\"} 1",
    ] {
        assert!(
            metrics.lines().any(|each| each == line),
            "{line}\n{metrics}"
        );
    }
    assert!(metrics.contains("errors_total{cluster=\"there\",kind=\"unavailable\"}"));
    assert!(!metrics.contains("errors_total{cluster=\"here\""));
    let two = json!({"replicas": 2});
    let (status, _) = stand.post(&format!("{ALL}one/scale/"), &two).await;
    assert_eq!(status, 200);
    // When none is left, it is not ready.
    stand.faults("api-down");
    let not_ready = async { while stand.get("/ready").await.0 != 503 {} };
    timeout(PATIENCE, not_ready).await.expect("it says so");
}

#[tokio::test]
async fn the_live_list_is_one_of_its_cluster() {
    let stand = two().await;
    let path = format!("{ALL}events/?cluster=there");
    let mut stream = stand.ask(Method::GET, &path).send().await.unwrap();
    let mut heard = async || {
        let piece = timeout(PATIENCE, stream.chunk()).await.expect("an event");
        String::from_utf8(piece.unwrap().expect("no end").to_vec()).unwrap()
    };
    assert!(heard().await.starts_with("event: snapshot"));
    stand.deploy("one").await;
    let two = json!({"name": "two"});
    stand
        .post("/api/templates/deploy/echo/?cluster=there", &two)
        .await;
    let news = heard().await;
    assert!(news.contains("\"name\":\"two\""), "{news}");
    assert!(!news.contains("\"name\":\"one\""), "{news}");
}

#[tokio::test]
async fn tokens_are_for_namespaces_of_every_cluster() {
    let stand = two().await;
    let token = stand.token("one", Role::Admin, &["team-b"]);
    let deploy = async |place: &str| {
        let path = format!("/api/templates/deploy/echo/?cluster=there&namespace={place}");
        let request = stand.ask(Method::POST, &path).bearer_auth(&token);
        answer(request.json(&json!({"name": "one"}))).await.0
    };
    assert_eq!(deploy("team-b").await, 201);
    assert_eq!(deploy("team-a").await, 403);
}

#[tokio::test]
async fn tools_choose_their_cluster_too() {
    let stand = two().await;
    let config = StreamableHttpClientTransportConfig::with_uri(stand.url("/mcp"));
    let transport = StreamableHttpClientTransport::from_config(config);
    let client = ().serve(transport).await.unwrap();
    let call = async |tool: &'static str, arguments: Value| {
        let arguments = arguments.as_object().cloned().unwrap();
        let parameters = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = client.call_tool(parameters).await.unwrap();
        result.structured_content.unwrap()
    };
    let deploy = json!({"template": "echo", "name": "one", "cluster": "there"});
    let made = call("deploy_mcp", deploy).await;
    assert_eq!(made["server"]["status"]["state"], "running", "{made}");
    let here = call("list_mcp_servers", json!({})).await;
    assert_eq!(here["servers"], json!([]));
    let there = call("list_mcp_servers", json!({"cluster": "there"})).await;
    assert_eq!(there["servers"][0]["name"], "one");
    let stop = json!({"name": "one", "cluster": "there"});
    let stopped = call("stop_mcp", stop).await;
    assert_eq!(stopped["server"]["status"]["state"], "stopped", "{stopped}");
    for tool in ["get_mcp_status", "start_mcp", "get_mcp_logs", "delete_mcp"] {
        let nowhere = call(tool, json!({"name": "one", "cluster": "nowhere"})).await;
        assert_eq!(nowhere["kind"], "not-found", "{tool}: {nowhere}");
        assert!(nowhere["message"].as_str().unwrap().contains("here, there"));
    }
    stand.faults("api-down");
    let clusters = call("list_mcp_clusters", json!({})).await;
    assert_eq!(clusters["clusters"][0]["name"], "here");
    assert_eq!(clusters["clusters"][0]["reachable"], false);
    assert_eq!(clusters["clusters"][1]["reachable"], true);
    client.cancel().await.unwrap();
}
