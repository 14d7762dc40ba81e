//! Every object of every profile, taken by a real API server; what that does not serve is left out
//! and named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mcp_platform::backend::Backend as _;
use mcp_platform::backend::kubernetes::{Kubernetes, Options, Side};
use mcp_platform::manifest::{Autoscaling, PROFILES, Profile, RenderOptions, objects};
use mcp_platform::model::{Action, Exposure, Remember, Spec, Volume};
use mcp_platform::service::{DeployRequest, Service};
use mcp_platform::template::{Request, builtin, parse};
use serde_json::Value;

use super::companions::NOTES;
use super::place::{Place, image, within_longer};

/// A server of each template, with all that it can have; and one whose instances own storage.
fn specs(place: &Place) -> Vec<(&'static str, Spec)> {
    let mut catalogue = builtin().unwrap();
    let notes = parse(NOTES, "notes").unwrap();
    catalogue.templates.insert(notes.id.clone(), notes);
    let service = Service {
        catalogue: Arc::new(catalogue),
        ..place.service.clone()
    };
    let spec = |template: &str, configuration: Value| {
        let deploy = DeployRequest {
            template: template.to_owned(),
            request: Request {
                name: Some("a".to_owned()),
                image: Some(image("1")),
                configuration: serde_json::from_value(configuration).unwrap(),
                exposure: Some(Exposure::Ingress {
                    host: "a.example".to_owned(),
                    tls_secret: Some("certificate".to_owned()),
                }),
                ..Request::default()
            },
        };
        service.specify(&place.namespace, &deploy, None).unwrap()
    };
    let notes = spec("notes", serde_json::json!({"admin_page": true}));
    let mut storing = notes.clone();
    storing.volumes.push(Volume {
        name: "data".to_owned(),
        path: "/data".to_owned(),
        size: 1 << 20,
        storage_class: None,
        variable: None,
    });
    vec![
        ("echo", spec("echo", serde_json::json!({}))),
        (
            "mcp-server-jupyter",
            spec(
                "mcp-server-jupyter",
                serde_json::json!({"token": "geheim-geheim-geheim"}),
            ),
        ),
        ("notes", notes),
        ("notes with storage", storing),
    ]
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap()
}

/// What the API server serves, `group/version/Kind`.
async fn served(place: &Place) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let groups = place.client.list_api_groups().await.unwrap().groups;
    let versions = groups.into_iter().flat_map(|group| group.versions);
    for version in versions {
        let version = version.group_version;
        let list = place.client.list_api_group_resources(&version).await;
        let resources = list.unwrap().resources.into_iter();
        all.extend(resources.map(|resource| format!("{version}/{}", resource.kind)));
    }
    let core = place.client.list_core_api_resources("v1").await.unwrap();
    let core = core.resources.into_iter();
    all.extend(core.map(|resource| format!("v1/{}", resource.kind)));
    all
}

async fn taken(
    place: &Place,
    profile: Profile,
    what: &str,
    spec: &Spec,
    served: &BTreeSet<String>,
) {
    let options = Options {
        render: RenderOptions {
            profile,
            autoscaling: Autoscaling::On,
            monitoring: Some("monitoring".to_owned()),
            ..RenderOptions::default()
        },
        ..Options::usual(Side::Outside)
    };
    let here = format!("{profile:?} of {what}");
    let rendered: BTreeMap<String, String> = objects(spec, &options.render)
        .iter()
        .map(|object| {
            let kind = text(object, "/kind");
            let name = format!("{kind}/{}", text(object, "/metadata/name"));
            (name, format!("{}/{kind}", text(object, "/apiVersion")))
        })
        .collect();
    let backend = Kubernetes::new(place.client.clone(), "it".to_owned(), options);
    let identity = &spec.identity;
    let apply = Action::Apply {
        spec: Box::new(spec.clone()),
        replicas: 1,
        remember: Remember::Forget,
        previous: None,
        expected: None,
    };
    backend
        .perform(identity, &apply)
        .await
        .unwrap_or_else(|error| panic!("{here}: {error}"));
    let observed = backend.observe(identity).await.unwrap().unwrap();
    let present = backend.objects(identity).await.unwrap();
    for (name, kind) in &rendered {
        let named = observed
            .left_out
            .iter()
            .any(|one| one.starts_with(&name.replace('/', " ")));
        let there = present.contains(name);
        let expected = served.contains(kind);
        assert_eq!((there, named), (expected, !expected), "{here}: {name}");
    }
    backend.perform(identity, &Action::Remove).await.unwrap();
    place.until("a", |one| one.is_none()).await;
    assert_eq!(place.objects("a").await, Vec::<String>::new(), "{here}");
}

#[test]
fn every_profile_is_taken_by_the_api() {
    within_longer(|place| async move {
        let served = served(&place).await;
        for profile in PROFILES {
            for (what, spec) in specs(&place) {
                taken(&place, profile, what, &spec, &served).await;
            }
        }
    });
}
