//! The two tools.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

/// The server; one per session.
#[derive(Debug, Clone)]
pub struct Echo {
    greeting: String,
    instance: String,
}

/// What `echo` is told.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Told {
    /// The text to answer with.
    pub text: String,
}

#[tool_router]
impl Echo {
    /// A server with its greeting and the name of its instance.
    pub fn new(greeting: &str, instance: &str) -> Echo {
        Echo {
            greeting: greeting.to_owned(),
            instance: instance.to_owned(),
        }
    }

    /// Answers with a greeting and the text.
    #[tool(
        description = "Answers with a greeting and the text that it was given.",
        annotations(read_only_hint = true)
    )]
    async fn echo(&self, Parameters(told): Parameters<Told>) -> String {
        super::say(&format!("{} characters came", told.text.chars().count()));
        format!("{}, {}", self.greeting, told.text)
    }

    /// Says which instance answered.
    #[tool(
        description = "Says which instance and which process answered.",
        annotations(read_only_hint = true)
    )]
    async fn whoami(&self) -> String {
        serde_json::json!({ "instance": self.instance, "pid": std::process::id() }).to_string()
    }
}

#[tool_handler]
impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new(
                "mcp-platform-echo",
                env!("CARGO_PKG_VERSION"),
            ))
            .with_instructions("Answers with what it is told.")
    }
}
