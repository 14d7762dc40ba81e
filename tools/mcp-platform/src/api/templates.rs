//! Shows templates.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::template::Template;

use super::Api;
use super::answers::ProblemAnswer;
use super::caller::Caller;
use super::problem::Problem;

/// A template as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Short {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// A few words.
    pub title: String,
    /// A sentence.
    pub description: String,
    /// `stateless`, `sticky` or `singleton`.
    pub statefulness: String,
    /// How many instances unless the caller says otherwise.
    pub replicas: u32,
    /// The JSON Schema of its configuration.
    #[schema(value_type = Object)]
    pub configuration_schema: Value,
    /// The keys of the configuration whose values are kept secret.
    pub secrets: Vec<String>,
}

impl Short {
    fn of(template: &Template) -> Short {
        Short {
            id: template.id.clone(),
            version: template.version.clone(),
            title: template.title.clone(),
            description: template.description.clone(),
            statefulness: template.statefulness.word().to_owned(),
            replicas: template.replicas,
            configuration_schema: Value::Object(template.configuration.schema.clone()),
            secrets: template
                .configuration
                .settings
                .iter()
                .filter(|setting| setting.secret)
                .map(|setting| setting.key.clone())
                .collect(),
        }
    }
}

/// All templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    /// The templates, sorted by id.
    pub templates: Vec<Short>,
    /// How many.
    pub count: usize,
}

/// One template.
#[derive(Debug, Serialize, ToSchema)]
pub struct Whole {
    /// As lists show it.
    pub template: Short,
    /// Everything that its file says.
    #[schema(value_type = Object)]
    pub definition: Value,
}

/// Shows all templates.
#[utoipa::path(
    get,
    path = "/api/templates/",
    operation_id = "list_templates",
    tag = "templates",
    responses(
        (status = 200, body = Templates),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn all(State(api): State<Arc<Api>>, _: Caller) -> Json<Templates> {
    let templates: Vec<Short> = api.catalogue.templates.values().map(Short::of).collect();
    Json(Templates {
        count: templates.len(),
        templates,
    })
}

/// Shows one template with the schema of its configuration.
#[utoipa::path(
    get,
    path = "/api/templates/{template_id}/",
    operation_id = "get_template",
    tag = "templates",
    params(("template_id" = String, Path, description = "The template")),
    responses(
        (status = 200, body = Whole),
        (status = "default", body = ProblemAnswer, content_type = "application/problem+json"),
    )
)]
pub async fn one(
    State(api): State<Arc<Api>>,
    _: Caller,
    Path(id): Path<String>,
) -> Result<Json<Whole>, Problem> {
    let template = api.catalogue.get(&id)?;
    Ok(Json(Whole {
        template: Short::of(template),
        definition: serde_json::to_value(template).unwrap_or_default(),
    }))
}
