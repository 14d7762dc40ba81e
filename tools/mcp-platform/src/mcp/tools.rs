//! The tools. Hints say what only looks, what may be repeated and what destroys.

use futures::StreamExt as _;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, Extensions};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, tool, tool_router};
use serde_json::{Value, json};

use crate::backend::{LogOptions, Scope};
use crate::error::Result;
use crate::model::{Identity, ImageReference, Name};
use crate::service::{
    Access, Cluster, DeployRequest, Operation, Report, Service, StopMode, UpdateRequest, Waiting,
};
use crate::template::Request;

use super::Face;
use super::answer::{answer, refusal};
use super::parameters::{
    DeployParameters, ListParameters, LogParameters, ScaleParameters, ServerParameters,
    StartParameters, StopParameters, Target, UpdateParameters,
};

const LINES: u32 = 2000;

impl Face {
    /// All tools.
    pub(super) fn tools() -> ToolRouter<Face> {
        Face::tool_router() + Face::inspection()
    }

    pub(super) fn place(&self, namespace: Option<&str>) -> Result<Name> {
        namespace.map_or_else(|| Ok(self.namespace.clone()), Name::label)
    }

    /// The cluster and the server that are meant.
    pub(super) fn meant(&self, target: Target<'_>) -> Result<(&Cluster, Identity)> {
        let identity = Identity {
            namespace: self.place(target.namespace)?,
            name: Name::label(target.name)?,
        };
        Ok((self.clusters.find(target.cluster)?, identity))
    }

    /// The same, once the caller may do something there.
    pub(super) fn allowed(
        &self,
        extensions: &Extensions,
        access: Access,
        target: Target<'_>,
    ) -> Result<(&Service, Identity)> {
        let (cluster, identity) = self.meant(target)?;
        self.gate.allow(extensions, access, &identity.namespace)?;
        Ok((&cluster.service, identity))
    }

    /// Changes a server, once the gate lets it through.
    async fn steer(
        &self,
        extensions: &Extensions,
        target: Target<'_>,
        operation: Operation,
        waiting: Waiting,
    ) -> CallToolResult {
        let done = async {
            let (cluster, identity) = self.meant(target)?;
            self.gate
                .change(extensions, cluster, &identity, operation, waiting)
                .await
        };
        answer(done.await)
    }
}

fn image(text: Option<&str>) -> Result<Option<ImageReference>> {
    text.map(ImageReference::parse).transpose()
}

/// What clients of system 002 look for, beside everything else.
fn compatible(report: &Report) -> Value {
    let observed = &report.observed;
    json!({
        "name": observed.identity.name,
        "namespace": observed.identity.namespace,
        "status": report.status.state,
        "reason": report.status.cause,
        "message": report.status.message,
        "replicas": observed.desired,
        "ready_replicas": observed.ready,
        "available_replicas": observed.available,
        "updated_replicas": observed.updated,
        "endpoints": observed.endpoints.iter().map(|endpoint| &endpoint.url).collect::<Vec<_>>(),
        "last_activity": observed.last_activity,
        "conditions": observed.conditions,
        "instances": observed.instances,
        "image": observed.image,
    })
}

#[tool_router]
impl Face {
    /// Lists MCP servers with status, reason, replicas and endpoints.
    #[tool(annotations(
        title = "List MCP servers",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn list_mcp_servers(
        &self,
        Parameters(parameters): Parameters<ListParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let list = async {
            let namespace = self.place(parameters.namespace.as_deref())?;
            self.gate
                .allow(&context.extensions, Access::View, &namespace)?;
            let scope = Scope {
                namespace: Some(namespace),
                template: parameters.template,
            };
            let cluster = self.clusters.find(parameters.cluster.as_deref())?;
            let servers = cluster.service.list(&scope).await?;
            Ok(json!({ "servers": servers.iter().map(compatible).collect::<Vec<_>>() }))
        };
        answer(list.await)
    }

    /// Shows one MCP server: status with reason, replicas, instances, endpoints, conditions.
    #[tool(annotations(
        title = "Status of an MCP server",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn get_mcp_status(
        &self,
        Parameters(parameters): Parameters<ServerParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let status = async {
            let (service, identity) =
                self.allowed(&context.extensions, Access::View, parameters.target())?;
            Ok(compatible(&service.status(&identity).await?))
        };
        answer(status.await)
    }

    /// Starts an MCP server with as many replicas as it had when it was stopped.
    #[tool(annotations(
        title = "Start an MCP server",
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn start_mcp(
        &self,
        Parameters(parameters): Parameters<StartParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let waiting = Waiting::of(parameters.wait_ready.unwrap_or(true));
        let target = parameters.target();
        self.steer(&context.extensions, target, Operation::Start, waiting)
            .await
    }

    /// Stops an MCP server: new sessions first, then the present ones end, then its instances.
    #[tool(annotations(
        title = "Stop an MCP server",
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn stop_mcp(
        &self,
        Parameters(parameters): Parameters<StopParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let stop = Operation::Stop(StopMode::of(parameters.force.unwrap_or(false)));
        let target = parameters.target();
        self.steer(&context.extensions, target, stop, Waiting::Wait)
            .await
    }

    /// Sets the number of replicas of an MCP server; fewer than before cuts sessions off.
    #[tool(annotations(
        title = "Scale an MCP server",
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn scale_mcp(
        &self,
        Parameters(parameters): Parameters<ScaleParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let waiting = Waiting::of(parameters.wait_ready.unwrap_or(false));
        let scale = Operation::Scale(parameters.replicas);
        let target = parameters.target();
        self.steer(&context.extensions, target, scale, waiting)
            .await
    }

    /// Replaces every instance of an MCP server by a new one; sessions are cut off.
    #[tool(annotations(
        title = "Restart an MCP server",
        destructive_hint = true,
        idempotent_hint = false,
        open_world_hint = false
    ))]
    async fn restart_mcp(
        &self,
        Parameters(parameters): Parameters<ServerParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let target = parameters.target();
        self.steer(
            &context.extensions,
            target,
            Operation::Restart,
            Waiting::Wait,
        )
        .await
    }

    /// Deploys an MCP server from a template; again with the same arguments changes nothing.
    #[tool(annotations(
        title = "Deploy an MCP server",
        destructive_hint = false,
        idempotent_hint = true,
        open_world_hint = true
    ))]
    async fn deploy_mcp(
        &self,
        Parameters(parameters): Parameters<DeployParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let deploy = async {
            let cluster = self.clusters.find(parameters.cluster.as_deref())?;
            let namespace = self.place(parameters.namespace.as_deref())?;
            self.gate
                .allow(&context.extensions, Access::Administer, &namespace)?;
            let request = DeployRequest {
                template: parameters.template,
                request: Request {
                    name: parameters.name,
                    configuration: parameters.configuration,
                    replicas: parameters.replicas,
                    image: image(parameters.image.as_deref())?,
                    ..Request::default()
                },
            };
            let identity = cluster
                .service
                .specify(&namespace, &request, None)?
                .identity;
            let deploy = Operation::Deploy(request);
            self.gate
                .change(
                    &context.extensions,
                    cluster,
                    &identity,
                    deploy,
                    Waiting::Wait,
                )
                .await
        };
        answer(deploy.await)
    }

    /// Changes image or configuration of an MCP server; goes back when it does not get ready.
    #[tool(annotations(
        title = "Update an MCP server",
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = true
    ))]
    async fn update_mcp(
        &self,
        Parameters(parameters): Parameters<UpdateParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let image = match image(parameters.image.as_deref()) {
            Ok(image) => image,
            Err(error) => return refusal(&error),
        };
        let update = Operation::Update(UpdateRequest {
            image,
            configuration: parameters.configuration.clone(),
            ..UpdateRequest::default()
        });
        let target = parameters.target();
        self.steer(&context.extensions, target, update, Waiting::Wait)
            .await
    }

    /// Deletes an MCP server and everything of it, its volumes included.
    #[tool(annotations(
        title = "Delete an MCP server",
        destructive_hint = true,
        idempotent_hint = true,
        open_world_hint = false
    ))]
    async fn delete_mcp(
        &self,
        Parameters(parameters): Parameters<ServerParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let target = parameters.target();
        self.steer(
            &context.extensions,
            target,
            Operation::Delete,
            Waiting::Wait,
        )
        .await
    }

    /// Shows what an MCP server wrote last, of all its instances.
    #[tool(annotations(
        title = "Logs of an MCP server",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn get_mcp_logs(
        &self,
        Parameters(parameters): Parameters<LogParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let logs = async {
            let (service, identity) =
                self.allowed(&context.extensions, Access::View, parameters.target())?;
            let options = LogOptions {
                follow: false,
                tail: Some(parameters.tail.unwrap_or(100).min(LINES)),
                instance: parameters.instance,
                previous: parameters.previous.unwrap_or(false),
            };
            let mut stream = service.logs(&identity, &options).await?;
            let mut lines = Vec::new();
            while let Some(line) = stream.next().await {
                lines.push(line?);
            }
            Ok(json!({ "lines": lines }))
        };
        answer(logs.await)
    }

    /// Shows what happened to an MCP server, oldest first.
    #[tool(annotations(
        title = "Events of an MCP server",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn get_mcp_events(
        &self,
        Parameters(parameters): Parameters<ServerParameters>,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let events = async {
            let (service, identity) =
                self.allowed(&context.extensions, Access::View, parameters.target())?;
            service.status(&identity).await?;
            Ok(json!({ "events": service.events(&identity).await? }))
        };
        answer(events.await)
    }

    /// Lists the templates that can be deployed, with the schema of their configuration.
    #[tool(annotations(
        title = "List templates",
        read_only_hint = true,
        open_world_hint = false
    ))]
    async fn list_mcp_templates(&self) -> CallToolResult {
        // Templates belong to no namespace, so everyone who was let in may see them.
        let templates: Vec<Value> = self
            .clusters
            .first()
            .service
            .catalogue
            .templates
            .values()
            .map(|template| {
                json!({
                    "id": template.id,
                    "version": template.version,
                    "title": template.title,
                    "description": template.description,
                    "statefulness": template.statefulness,
                    "schema": template.configuration.schema,
                })
            })
            .collect();
        answer(Ok(json!({ "templates": templates })))
    }
}
