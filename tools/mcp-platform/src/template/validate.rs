//! `template.toml` → [`Template`], with every problem reported together.

use crate::error::{Detail, Error, Result};
use crate::model::{ImageReference, NAME_LIMIT, Name, Resources, Spec, Statefulness};

use super::raw::{ResourcesTable, SettingTable, Template, VolumeTable};

/// Reads and checks a template; `file` is its place, for messages.
///
/// # Errors
/// It is no TOML, has unknown keys, or says something that cannot be; each problem has its key.
pub fn parse(text: &str, file: &str) -> Result<Template> {
    let template: Template = toml::from_str(text)
        .map_err(|error| Error::invalid(format!("{file}: {}", error.to_string().trim_end())))?;
    let problems = problems(&template);
    if problems.is_empty() {
        return Ok(template);
    }
    let mut error = Error::invalid(format!("{file} is no usable template"));
    error.details = problems;
    Err(error)
}

fn problems(template: &Template) -> Vec<Detail> {
    let mut found = Vec::new();
    let mut say = |path: String, message: String| found.push(Detail { path, message });
    if template.schema != 1 {
        say("schema".to_owned(), format!("{} is not 1", template.schema));
    }
    if let Err(error) = Name::label(&template.id) {
        say("id".to_owned(), error.message);
    } else if template.id.len() > NAME_LIMIT - 9 {
        say(
            "id".to_owned(),
            format!("is longer than {} characters", NAME_LIMIT - 9),
        );
    }
    if template.version.is_empty() {
        say("version".to_owned(), "is empty".to_owned());
    }
    if template.replicas == 0 {
        say("replicas".to_owned(), "must be 1 or more".to_owned());
    }
    if template.statefulness == Statefulness::Singleton && template.replicas > 1 {
        say(
            "replicas".to_owned(),
            "a singleton has one instance".to_owned(),
        );
    }
    if template.transport.port == 0 {
        say("transport.port".to_owned(), "must be 1 to 65535".to_owned());
    }
    pages(template, &mut say);
    if let Some(bearer) = &template.transport.bearer
        && !template
            .configuration
            .settings
            .iter()
            .any(|setting| setting.secret && setting.environment.as_ref() == Some(bearer))
    {
        say(
            "transport.bearer".to_owned(),
            format!("no secret setting sets {bearer}"),
        );
    }
    if template.drain_seconds > template.grace_seconds {
        say(
            "drain-seconds".to_owned(),
            "must fit into grace-seconds".to_owned(),
        );
    }
    if let Some(reference) = &template.image.reference
        && let Err(error) = ImageReference::parse(reference)
    {
        say("image.reference".to_owned(), error.message);
    }
    if let Err(error) = resources(&template.resources) {
        say("resources".to_owned(), error.message);
    }
    settings(template, &mut say);
    for (index, table) in template.volumes.iter().enumerate() {
        volume(&format!("volume[{index}]"), table, &mut say);
    }
    companions(template, &mut say);
    found
}

fn pages(template: &Template, say: &mut impl FnMut(String, String)) {
    for (key, path) in [
        ("transport.path", template.transport.path.as_deref()),
        (
            "health.path",
            template.health.as_ref().map(|probe| probe.path.as_str()),
        ),
        (
            "ready.path",
            template.ready.as_ref().map(|probe| probe.path.as_str()),
        ),
        (
            "sessions.path",
            template.sessions.as_ref().map(|page| page.path.as_str()),
        ),
    ] {
        if path.is_some_and(|path| !path.starts_with('/')) {
            say(key.to_owned(), "must start with `/`".to_owned());
        }
    }
}

fn settings(template: &Template, say: &mut impl FnMut(String, String)) {
    let schema = serde_json::Value::Object(template.configuration.schema.clone());
    if !template.configuration.schema.is_empty()
        && let Err(error) = jsonschema::draft202012::new(&schema)
    {
        say("configuration.schema".to_owned(), error.to_string());
    }
    let properties = schema.get("properties").and_then(|all| all.as_object());
    for (index, setting) in template.configuration.settings.iter().enumerate() {
        let path = format!("configuration.setting[{index}]");
        if properties.is_none_or(|all| !all.contains_key(&setting.key)) {
            say(
                format!("{path}.key"),
                format!("{:?} is no property of the schema", setting.key),
            );
        }
        if let Some(problem) = target(setting) {
            say(path, problem);
        }
    }
    for key in properties.into_iter().flatten().map(|(key, _)| key) {
        let used = template
            .configuration
            .settings
            .iter()
            .any(|setting| &setting.key == key)
            || template
                .companions
                .iter()
                .any(|companion| companion.enabled_by.as_ref() == Some(key));
        if !used {
            say(
                format!("configuration.schema.properties.{key}"),
                "goes nowhere: it has no setting".to_owned(),
            );
        }
    }
}

fn target(setting: &SettingTable) -> Option<String> {
    let targets = [&setting.environment, &setting.file, &setting.argument];
    if targets.iter().filter(|target| target.is_some()).count() != 1 {
        return Some("needs exactly one of environment, file, argument".to_owned());
    }
    if setting.secret && setting.argument.is_some() {
        return Some(
            "a secret cannot be an argument: every user of the machine reads it".to_owned(),
        );
    }
    if let Some(name) = &setting.environment
        && !is_variable(name)
    {
        return Some(format!("{name:?} is no name of an environment variable"));
    }
    if let Some(file) = &setting.file
        && !is_absolute(file)
    {
        return Some(format!("{file:?} is no absolute path"));
    }
    None
}

fn is_variable(name: &str) -> bool {
    name.bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn volume(path: &str, table: &VolumeTable, say: &mut impl FnMut(String, String)) {
    if let Err(error) = Name::label(&table.name) {
        say(format!("{path}.name"), error.message);
    }
    if !table.path.starts_with('/') {
        say(format!("{path}.path"), "must be absolute".to_owned());
    }
    if let Some(size) = &table.size
        && let Err(error) = bytes(size)
    {
        say(format!("{path}.size"), error.message);
    }
}

fn companions(template: &Template, say: &mut impl FnMut(String, String)) {
    for (index, companion) in template.companions.iter().enumerate() {
        let path = format!("companion[{index}]");
        if let Err(error) = Name::label(&companion.name) {
            say(format!("{path}.name"), error.message);
        }
        if let Err(error) = ImageReference::parse(&companion.image) {
            say(format!("{path}.image"), error.message);
        }
        if companion.user == 0 {
            say(format!("{path}.user"), "must not be root".to_owned());
        }
        if let Err(error) = resources(&companion.resources) {
            say(format!("{path}.resources"), error.message);
        }
        if let Some(table) = &companion.volume {
            volume(&format!("{path}.volume"), table, say);
        }
        for other in &companion.reaches {
            if !template.companions.iter().any(|one| &one.name == other) {
                say(
                    format!("{path}.reaches"),
                    format!("there is no companion {other:?}"),
                );
            }
        }
    }
}

/// Whether a specification that did not come out of a template just now is one that a template could
/// have given: no path that leads elsewhere, no name that is none, no companion that runs as root.
///
/// # Errors
/// It is not; each place is named.
pub fn sound(spec: &Spec) -> Result<()> {
    let mut found = Error::invalid(format!(
        "the specification of {} is not sound",
        spec.identity
    ));
    let files = spec.files.keys().chain(spec.secrets.files.keys());
    let mounts = spec.volumes.iter().map(|volume| &volume.path);
    for path in files.chain(mounts).filter(|path| !is_absolute(path)) {
        found = found.detail("files", format!("{path:?} is no absolute path"));
    }
    let variables = spec
        .environment
        .keys()
        .chain(spec.secrets.environment.keys());
    for name in variables.filter(|name| !is_variable(name)) {
        found = found.detail("environment", format!("{name:?} is no name of a variable"));
    }
    for volume in &spec.volumes {
        if let Err(error) = Name::label(&volume.name) {
            found = found.detail("volumes", error.message);
        }
    }
    for companion in &spec.companions {
        if companion.user == 0 {
            found = found.detail("companions", format!("{} runs as root", companion.name));
        }
        if let Err(error) = spec.identity.name.with(&companion.name) {
            found = found.detail("companions", error.message);
        }
    }
    if found.details.is_empty() {
        Ok(())
    } else {
        Err(found)
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..")
}

/// Reads the four quantities.
///
/// # Errors
/// One is no quantity, or a limit is below what is set aside.
pub fn resources(table: &ResourcesTable) -> Result<Resources> {
    let resources = Resources {
        cpu_request: thousandths(&table.cpu_request)?,
        cpu_limit: thousandths(&table.cpu_limit)?,
        memory_request: bytes(&table.memory_request)?,
        memory_limit: bytes(&table.memory_limit)?,
    };
    if resources.cpu_limit < resources.cpu_request
        || resources.memory_limit < resources.memory_request
    {
        return Err(Error::invalid("a limit is below what is set aside"));
    }
    Ok(resources)
}

/// `250m` or `1.5` in thousandths of a core (Kubernetes, "CPU resource units").
///
/// # Errors
/// It is neither.
pub fn thousandths(text: &str) -> Result<u32> {
    let wrong = || {
        Error::invalid(format!(
            "{text:?} is no amount of processor, such as `250m` or `1.5`"
        ))
    };
    if let Some(number) = text.strip_suffix('m') {
        return number.parse().map_err(|_| wrong());
    }
    let cores: f64 = text.parse().map_err(|_| wrong())?;
    if !(0.001..=1_000.0).contains(&cores) {
        return Err(wrong());
    }
    // Within 1 to 1,000,000 by the line above.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked"
    )]
    Ok((cores * 1000.0).round() as u32)
}

/// `512Mi`, `2G` or plain bytes (Kubernetes, "Memory resource units").
///
/// # Errors
/// It is none of these, or more than 2^63.
pub fn bytes(text: &str) -> Result<u64> {
    let wrong = || {
        Error::invalid(format!(
            "{text:?} is no amount of memory, such as `512Mi` or `2G`"
        ))
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1000,
        "M" => 1000_u64.pow(2),
        "G" => 1000_u64.pow(3),
        "T" => 1000_u64.pow(4),
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number
        .checked_mul(factor)
        .filter(|bytes| *bytes < 1 << 63)
        .ok_or_else(wrong)
}
