//! What happened to a server and its parts, by the fields of either event API.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Event as Reported, ObjectReference};
use kube::Client;
use kube::api::ListParams;

use crate::error::Result;
use crate::model::{Event, Identity};

use super::fetch;
use super::pods::moment;

/// The letters and digits of generated parts of names (`k8s.io/apimachinery/pkg/util/rand`).
const GENERATED: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The events of a server, oldest first.
///
/// # Errors
/// What the API says.
pub async fn events(
    client: &Client,
    identity: &Identity,
    objects: &[String],
) -> Result<Vec<Event>> {
    let api = fetch::api::<Reported>(client, Some(identity.namespace.as_str()));
    let known: BTreeSet<&str> = objects.iter().map(String::as_str).collect();
    let mut events: Vec<Event> = fetch::list(&api, &ListParams::default())
        .await?
        .iter()
        .filter(|event| about(&event.involved_object, identity.name.as_str(), &known))
        .map(|event| Event {
            at: moment(event),
            about: format!(
                "{}/{}",
                event.involved_object.kind.as_deref().unwrap_or("Object"),
                event.involved_object.name.as_deref().unwrap_or_default()
            ),
            reason: event.reason.clone().unwrap_or_default(),
            message: said(event),
            warning: event.type_.as_deref() == Some("Warning"),
        })
        .collect();
    events.sort_by_key(|event| event.at);
    Ok(events)
}

fn said(event: &Reported) -> String {
    let message = event.message.as_deref().unwrap_or_default().trim();
    let times = event
        .series
        .as_ref()
        .and_then(|series| series.count)
        .or(event.count)
        .unwrap_or(1);
    if times > 1 {
        format!("{message} ({times} times)")
    } else {
        message.to_owned()
    }
}

/// Whether an event is about the server or one of its parts, those that are gone included.
fn about(object: &ObjectReference, server: &str, known: &BTreeSet<&str>) -> bool {
    let (Some(kind), Some(name)) = (object.kind.as_deref(), object.name.as_deref()) else {
        return false;
    };
    if name == server
        && matches!(
            kind,
            "Deployment" | "StatefulSet" | "HorizontalPodAutoscaler"
        )
    {
        return true;
    }
    if known.contains(format!("{kind}/{name}").as_str()) {
        return true;
    }
    let Some(rest) = name
        .strip_prefix(server)
        .and_then(|rest| rest.strip_prefix('-'))
    else {
        return false;
    };
    match (kind, rest.split_once('-')) {
        ("Pod", Some((hash, word))) => generated(hash, 6..=10) && generated(word, 5..=5),
        ("Pod", None) => rest.bytes().all(|byte| byte.is_ascii_digit()),
        ("ReplicaSet", None) => generated(rest, 6..=10),
        _ => false,
    }
}

fn generated(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.chars().all(|c| GENERATED.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, name: &str, expected: bool) {
        let object = ObjectReference {
            kind: Some(kind.to_owned()),
            name: Some(name.to_owned()),
            ..ObjectReference::default()
        };
        let known = BTreeSet::from(["Service/other"]);
        assert_eq!(about(&object, "echo", &known), expected, "{kind} {name}");
    }

    #[test]
    fn parts_are_told_from_those_of_other_servers() {
        check("Deployment", "echo", true);
        check("ReplicaSet", "echo-7c9fd4b5b8", true);
        check("Pod", "echo-7c9fd4b5b8-x2v5z", true);
        check("Pod", "echo-0", true);
        check("Service", "other", true);
        check("Deployment", "echo-two", false);
        check("Pod", "echo-two-7c9fd4b5b8-x2v5z", false);
        check("Pod", "echo-two-0", false);
        check("ReplicaSet", "echo-two-7c9fd4b5b8", false);
        check("Pod", "echoes-7c9fd4b5b8-x2v5z", false);
    }
}
