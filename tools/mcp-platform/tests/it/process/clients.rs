//! A real MCP client, as short as a test wants it.

use std::path::Path;

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::service::{RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

use super::TOKEN;

pub struct Client(RunningService<RoleClient, ()>);

impl Client {
    pub async fn connect(url: &str) -> Client {
        Client::try_connect(url, TOKEN).await.unwrap()
    }

    pub async fn try_connect(url: &str, token: &str) -> Result<Client, String> {
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let transport = StreamableHttpClientTransport::with_client(client, config);
        ().serve(transport)
            .await
            .map(Client)
            .map_err(|error| error.to_string())
    }

    pub async fn try_call(&self, tool: &'static str, arguments: Value) -> Result<String, String> {
        let arguments = arguments.as_object().unwrap().clone();
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self
            .0
            .call_tool(call)
            .await
            .map_err(|error| error.to_string())?;
        let result = serde_json::to_value(result).unwrap();
        let parts = result["content"].as_array().unwrap().iter();
        let texts: Vec<&str> = parts.filter_map(|part| part["text"].as_str()).collect();
        Ok(texts.join("\n"))
    }

    pub async fn call(&self, tool: &'static str, arguments: Value) -> String {
        self.try_call(tool, arguments).await.unwrap()
    }

    pub async fn echo(&self, text: &str) -> String {
        self.call("echo", json!({ "text": text })).await
    }

    /// The instance and the process that answer.
    pub async fn who(&self) -> (String, i64) {
        let said: Value = serde_json::from_str(&self.call("whoami", json!({})).await).unwrap();
        (
            said["instance"].as_str().unwrap().to_owned(),
            said["pid"].as_i64().unwrap(),
        )
    }

    pub async fn close(self) {
        let _ = self.0.cancel().await;
    }
}

/// Everything that is written in a folder, but for the one file of secrets.
pub fn written(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&written(&path));
        } else if path.file_name().unwrap() != "secrets.json" {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
    text
}
