//! The document about the API (OpenAPI 3.1). The routes are added by the router itself, so that none
//! is missing.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, OpenApi as Document};
use utoipa::{Modify, OpenApi};

/// What the document says besides its routes.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "MCP Platform",
        description = "Deploys, watches and steers MCP servers on Kubernetes, Docker or this machine."
    ),
    tags(
        (name = "templates", description = "What can be deployed"),
        (name = "servers", description = "What runs, and what it is doing"),
        (name = "operations", description = "What changes something"),
        (name = "platform", description = "The platform itself"),
    ),
    modifiers(&Bearer)
)]
pub struct About;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "A token of `mcp-platform token create`; not needed on loopback while there are none",
            ))
            .build();
        let components = document.components.take().unwrap_or_default();
        document.components = Some(
            ComponentsBuilder::from(components)
                .security_scheme("bearer", SecurityScheme::Http(scheme))
                .build(),
        );
        document.security = Some(vec![
            utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []),
            utoipa::openapi::SecurityRequirement::default(),
        ]);
    }
}
