//! `templates` and `template`.

use clap::Args;
use serde::Serialize;

use crate::error::Result;
use crate::template::Template;
use crate::world::World;

use super::output::table;
use super::{General, Output};

/// Arguments of `template`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The template
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Serialize)]
struct All {
    templates: Vec<Template>,
}

/// Shows all templates.
///
/// # Errors
/// A template is wrong.
pub async fn all(general: &General, world: &World, output: &Output) -> Result<()> {
    let catalogue = general.catalogue(world).await?;
    let mut rows = vec![
        ["ID", "VERSION", "STATEFULNESS", "TITLE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for template in catalogue.templates.values() {
        rows.push(vec![
            template.id.clone(),
            template.version.clone(),
            template.statefulness.word().to_owned(),
            template.title.clone(),
        ]);
    }
    let templates = catalogue.templates.into_values().collect();
    output.result(&table(&rows), &All { templates });
    Ok(())
}

/// Shows one template.
///
/// # Errors
/// There is none of that id.
pub async fn one(
    general: &General,
    world: &World,
    output: &Output,
    arguments: &Arguments,
) -> Result<()> {
    let catalogue = general.catalogue(world).await?;
    let template = catalogue.get(&arguments.id)?;
    let mut text = format!(
        "{} {}  {}\n{}\n  {}, image {}\n",
        template.id,
        template.version,
        template.title,
        template.description,
        template.statefulness.word(),
        template.image.reference.as_deref().unwrap_or("none")
    );
    let required: Vec<&str> = template
        .configuration
        .schema
        .get("required")
        .and_then(|all| all.as_array())
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str())
        .collect();
    let mut rows = vec![
        ["KEY", "TYPE", "DEFAULT", "MEANING"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let properties = template
        .configuration
        .schema
        .get("properties")
        .and_then(|all| all.as_object());
    for (key, schema) in properties.into_iter().flatten() {
        let field = |name: &str| match schema.get(name) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let default = if required.contains(&key.as_str()) {
            "required".to_owned()
        } else {
            field("default")
        };
        rows.push(vec![
            key.clone(),
            field("type"),
            default,
            field("description"),
        ]);
    }
    if rows.len() > 1 {
        text.push_str(&table(&rows));
    }
    output.result(&text, template);
    Ok(())
}
