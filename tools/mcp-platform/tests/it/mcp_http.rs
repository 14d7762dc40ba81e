//! MCP over HTTP at `/mcp`, asked by a real client, of the real program on the process back end.

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};

use crate::platform::Platform;

type Client = RunningService<RoleClient, ()>;

async fn connect(platform: &Platform, token: Option<&str>) -> Result<Client, String> {
    let address = format!("{}/mcp", platform.address);
    let mut config = StreamableHttpClientTransportConfig::with_uri(address);
    if let Some(token) = token {
        config = config.auth_header(token);
    }
    let transport = StreamableHttpClientTransport::from_config(config);
    ().serve(transport).await.map_err(|error| error.to_string())
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object");
    };
    let parameters = CallToolRequestParams::new(tool).with_arguments(arguments);
    client.call_tool(parameters).await.unwrap()
}

/// The structured answer of a tool that did what it was asked.
async fn done(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
    result.structured_content.unwrap()
}

/// The kind of the error of a tool that refused.
async fn refused(client: &Client, tool: &'static str, arguments: Value) -> String {
    let result = call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
    let answer = result.structured_content.unwrap();
    answer["kind"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_deploys_steers_and_deletes() {
    let platform = Platform::start().await;
    let client = connect(&platform, None).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let delete = tools.iter().find(|tool| tool.name == "delete_mcp").unwrap();
    let annotations = delete.annotations.as_ref().unwrap();
    assert_eq!(annotations.destructive_hint, Some(true));

    let deploy = json!({"template": "echo", "name": "one", "configuration": {"greeting": "hi"}});
    let deployed = done(&client, "deploy_mcp", deploy.clone()).await;
    assert_eq!(deployed["server"]["status"]["state"], "running");
    let again = done(&client, "deploy_mcp", deploy).await;
    assert_eq!(again["actions"], json!([]));

    let status = done(&client, "get_mcp_status", json!({"name": "one"})).await;
    assert_eq!(status["status"], "running");
    let check = done(&client, "check_mcp", json!({"name": "one"})).await;
    assert_eq!(check["passed"], true, "{check}");
    let backup = done(&client, "backup_mcp", json!({})).await;
    assert_eq!(backup["servers"][0]["spec"]["template"], "echo");
    let scaled = json!({"name": "one", "replicas": 2, "wait_ready": true});
    done(&client, "scale_mcp", scaled).await;
    let list = done(&client, "list_mcp_servers", json!({})).await;
    assert_eq!(list["servers"][0]["ready_replicas"], 2);
    assert_eq!(
        refused(&client, "scale_mcp", json!({"name": "one", "replicas": 99})).await,
        "invalid"
    );
    assert_eq!(
        refused(&client, "start_mcp", json!({"name": "none"})).await,
        "not-found"
    );
    done(&client, "stop_mcp", json!({"name": "one"})).await;
    let started = done(&client, "start_mcp", json!({"name": "one"})).await;
    assert_eq!(started["server"]["ready"], 2);
    done(&client, "delete_mcp", json!({"name": "one"})).await;
    let list = done(&client, "list_mcp_servers", json!({})).await;
    assert_eq!(list["servers"], json!([]));

    let audit = platform.audit();
    for operation in ["deploy", "scale", "stop", "start", "delete"] {
        let lines: Vec<&Value> = audit
            .iter()
            .filter(|line| line["operation"] == operation)
            .collect();
        assert!(
            lines.iter().any(|line| line["outcome"] == "done"),
            "{operation}: {lines:?}"
        );
        assert!(lines.iter().all(|line| line["parameters"]["face"] == "mcp"));
    }
    assert!(!format!("{audit:?}").contains("\"hi\""));
    client.cancel().await.unwrap();
    platform.end().await;
}

#[tokio::test]
async fn a_singleton_stays_one() {
    let platform = Platform::start().await;
    let client = connect(&platform, None).await.unwrap();
    let deploy = json!({"template": "alone", "name": "one"});
    done(&client, "deploy_mcp", deploy).await;
    let scale = json!({"name": "one", "replicas": 2});
    assert_eq!(refused(&client, "scale_mcp", scale).await, "conflict");
    done(&client, "delete_mcp", json!({"name": "one"})).await;
    client.cancel().await.unwrap();
    platform.end().await;
}

#[tokio::test]
async fn roles_and_namespaces_decide_in_every_call() {
    let mut platform = Platform::start().await;
    let viewer = platform.token("viewer", None).await;
    let operator = platform.token("operator", None).await;
    let admin = platform.token("admin", None).await;
    let elsewhere = platform.token("admin", Some("team-b")).await;
    platform.restart().await;

    assert!(connect(&platform, None).await.is_err());
    assert!(connect(&platform, Some("mcpp_0")).await.is_err());
    let admin = connect(&platform, Some(&admin)).await.unwrap();
    let viewer = connect(&platform, Some(&viewer)).await.unwrap();
    let operator = connect(&platform, Some(&operator)).await.unwrap();
    let elsewhere = connect(&platform, Some(&elsewhere)).await.unwrap();

    let deploy = json!({"template": "echo", "name": "one"});
    for client in [&viewer, &operator, &elsewhere] {
        let kind = refused(client, "deploy_mcp", deploy.clone()).await;
        assert_eq!(kind, "forbidden");
    }
    done(&admin, "deploy_mcp", deploy).await;
    done(&viewer, "get_mcp_status", json!({"name": "one"})).await;
    let one = || json!({"name": "one"});
    assert_eq!(refused(&viewer, "stop_mcp", one()).await, "forbidden");
    assert_eq!(refused(&operator, "delete_mcp", one()).await, "forbidden");
    assert_eq!(
        refused(&elsewhere, "get_mcp_status", one()).await,
        "forbidden"
    );
    assert_eq!(
        refused(&elsewhere, "list_mcp_servers", json!({})).await,
        "forbidden"
    );
    let templates = done(&elsewhere, "list_mcp_templates", json!({})).await;
    assert_eq!(templates["templates"][0]["id"], "alone");
    done(&operator, "stop_mcp", one()).await;
    done(&admin, "delete_mcp", one()).await;
    platform.end().await;
}

#[tokio::test]
async fn the_same_layers_stand_in_front() {
    let platform = Platform::start().await;
    let ask = |name: &'static str, value: &'static str| {
        reqwest::Client::new()
            .post(format!("{}/mcp", platform.address))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .header(name, value)
            .body(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
            .send()
    };
    let foreign = ask("origin", "http://evil.test").await.unwrap();
    assert_eq!(foreign.status(), 403);
    let rebound = ask("host", "evil.test").await.unwrap();
    assert_eq!(rebound.status(), 403);
    let large = reqwest::Client::new()
        .post(format!("{}/mcp", platform.address))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .body(vec![b' '; (1 << 20) + 1])
        .send()
        .await
        .unwrap();
    assert_eq!(large.status(), 413);
    platform.end().await;
}

#[tokio::test]
async fn the_end_does_not_wait_for_sessions() {
    let platform = Platform::start().await;
    let client = connect(&platform, None).await.unwrap();
    done(&client, "list_mcp_servers", json!({})).await;
    // The client holds a stream that has no end; the program ends all the same, and cleanly.
    assert!(platform.end().await.success());
    drop(client);
}
