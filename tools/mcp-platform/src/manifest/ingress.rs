//! The Ingress, and what each controller wants to be told for long connections and sessions that
//! stay with their pod.

use serde_json::{Map, Value, json};

use crate::model::{Exposure, Spec, Statefulness};

use super::pod::termination;
use super::service::AFFINITY_SECONDS;
use super::{Profile, RenderOptions, metadata, set};

/// Seconds that a connection may be silent: WebSockets and event streams are, for long.
const SILENCE_SECONDS: u32 = 3600;

/// The longest that AWS's load balancer takes.
const SILENCE_SECONDS_AWS: u32 = 4000;

/// The Ingress with what belongs to it.
pub fn objects(spec: &Spec, options: &RenderOptions) -> Vec<Value> {
    let Exposure::Ingress { host, tls_secret } = &spec.exposure else {
        return Vec::new();
    };
    let mut metadata = metadata(spec, spec.identity.name.as_str());
    let annotations = annotations(spec, options.profile, tls_secret.is_some());
    if !annotations.is_empty() {
        set(&mut metadata, "annotations", annotations);
    }
    let mut body = json!({
        "rules": [{
            "host": host,
            "http": { "paths": [{
                "path": spec.transport.path(),
                "pathType": "Prefix",
                "backend": { "service": {
                    "name": spec.identity.name.service(),
                    "port": { "name": "mcp" },
                }},
            }]},
        }],
    });
    if let Some(class) = class(options.profile) {
        set(&mut body, "ingressClassName", class);
    }
    if let Some(secret) = tls_secret {
        set(
            &mut body,
            "tls",
            json!([{ "hosts": [host], "secretName": secret }]),
        );
    }
    let mut all = Vec::new();
    if options.profile == Profile::Gke {
        all.push(backend_config(spec));
    }
    all.push(json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": body,
    }));
    all
}

/// Google's controller knows only the annotation; with `plain` the cluster's default class decides.
fn class(profile: Profile) -> Option<&'static str> {
    match profile {
        Profile::Plain | Profile::Gke => None,
        Profile::Nginx => Some("nginx"),
        Profile::Eks => Some("alb"),
        Profile::Aks => Some("azure-application-gateway"),
    }
}

fn annotations(spec: &Spec, profile: Profile, tls: bool) -> Map<String, Value> {
    let sticky = spec.statefulness == Statefulness::Sticky;
    let pairs: Vec<(&str, String)> = match profile {
        Profile::Plain => Vec::new(),
        Profile::Nginx => nginx(sticky),
        Profile::Eks => eks(spec, sticky, tls),
        Profile::Gke => vec![("kubernetes.io/ingress.class", "gce".to_owned())],
        Profile::Aks => aks(spec, sticky, tls),
    };
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

fn nginx(sticky: bool) -> Vec<(&'static str, String)> {
    let mut all = vec![
        (
            "nginx.ingress.kubernetes.io/proxy-read-timeout",
            SILENCE_SECONDS.to_string(),
        ),
        (
            "nginx.ingress.kubernetes.io/proxy-send-timeout",
            SILENCE_SECONDS.to_string(),
        ),
        // Events of a stream are passed on as they come.
        (
            "nginx.ingress.kubernetes.io/proxy-buffering",
            "off".to_owned(),
        ),
    ];
    if sticky {
        let age = AFFINITY_SECONDS.to_string();
        all.extend([
            ("nginx.ingress.kubernetes.io/affinity", "cookie".to_owned()),
            (
                "nginx.ingress.kubernetes.io/affinity-mode",
                "persistent".to_owned(),
            ),
            (
                "nginx.ingress.kubernetes.io/session-cookie-name",
                "mcp-affinity".to_owned(),
            ),
            (
                "nginx.ingress.kubernetes.io/session-cookie-expires",
                age.clone(),
            ),
            ("nginx.ingress.kubernetes.io/session-cookie-max-age", age),
        ]);
    }
    all
}

fn eks(spec: &Spec, sticky: bool, tls: bool) -> Vec<(&'static str, String)> {
    let drain = format!(
        "deregistration_delay.timeout_seconds={}",
        termination(spec).grace
    );
    let target = if sticky {
        format!(
            "{drain},stickiness.enabled=true,stickiness.type=lb_cookie,stickiness.lb_cookie.duration_seconds={AFFINITY_SECONDS}"
        )
    } else {
        drain
    };
    let mut all = vec![
        (
            "alb.ingress.kubernetes.io/load-balancer-attributes",
            format!("idle_timeout.timeout_seconds={SILENCE_SECONDS_AWS}"),
        ),
        ("alb.ingress.kubernetes.io/target-group-attributes", target),
        ("alb.ingress.kubernetes.io/target-type", "ip".to_owned()),
    ];
    if let Some(page) = health_page(spec) {
        all.push(("alb.ingress.kubernetes.io/healthcheck-path", page));
    }
    if tls {
        all.push((
            "alb.ingress.kubernetes.io/listen-ports",
            "[{\"HTTPS\":443}]".to_owned(),
        ));
    }
    all
}

fn aks(spec: &Spec, sticky: bool, tls: bool) -> Vec<(&'static str, String)> {
    let mut all = vec![
        (
            "appgw.ingress.kubernetes.io/request-timeout",
            SILENCE_SECONDS.to_string(),
        ),
        (
            "appgw.ingress.kubernetes.io/connection-draining",
            "true".to_owned(),
        ),
        (
            "appgw.ingress.kubernetes.io/connection-draining-timeout",
            termination(spec).grace.to_string(),
        ),
    ];
    if sticky {
        all.push((
            "appgw.ingress.kubernetes.io/cookie-based-affinity",
            "true".to_owned(),
        ));
    }
    if let Some(page) = health_page(spec) {
        all.push(("appgw.ingress.kubernetes.io/health-probe-path", page));
    }
    if tls {
        all.push((
            "appgw.ingress.kubernetes.io/ssl-redirect",
            "true".to_owned(),
        ));
    }
    all
}

/// The page that a load balancer asks: whether sessions are taken, else whether it lives.
fn health_page(spec: &Spec) -> Option<String> {
    spec.ready
        .as_ref()
        .or(spec.health.as_ref())
        .map(|probe| probe.path.clone())
}

/// What Google's controller reads of the Service, by an object of its own kind.
fn backend_config(spec: &Spec) -> Value {
    let mut body = json!({
        "timeoutSec": SILENCE_SECONDS,
        "connectionDraining": { "drainingTimeoutSec": termination(spec).grace },
    });
    if spec.statefulness == Statefulness::Sticky {
        set(
            &mut body,
            "sessionAffinity",
            json!({ "affinityType": "GENERATED_COOKIE", "affinityCookieTtlSec": AFFINITY_SECONDS }),
        );
    }
    if let Some(page) = health_page(spec) {
        set(
            &mut body,
            "healthCheck",
            json!({ "type": "HTTP", "port": spec.port, "requestPath": page }),
        );
    }
    json!({
        "apiVersion": "cloud.google.com/v1",
        "kind": "BackendConfig",
        "metadata": metadata(spec, spec.identity.name.as_str()),
        "spec": body,
    })
}

/// What a controller reads of the Service behind an Ingress.
pub fn service_annotations(spec: &Spec, options: &RenderOptions) -> Map<String, Value> {
    match (&spec.exposure, options.profile) {
        (Exposure::Ingress { .. }, Profile::Gke) => {
            let config = json!({ "default": spec.identity.name }).to_string();
            Map::from_iter([
                ("cloud.google.com/backend-config".to_owned(), config.into()),
                (
                    "cloud.google.com/neg".to_owned(),
                    "{\"ingress\":true}".into(),
                ),
            ])
        }
        _ => Map::new(),
    }
}

/// What a cloud's load balancer wants to be told.
pub fn load_balancer_annotations(options: &RenderOptions) -> Map<String, Value> {
    let pairs: &[(&str, &str)] = match options.profile {
        Profile::Plain | Profile::Nginx | Profile::Gke => &[],
        Profile::Eks => &[
            (
                "service.beta.kubernetes.io/aws-load-balancer-type",
                "external",
            ),
            (
                "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type",
                "ip",
            ),
        ],
        Profile::Aks => &[(
            "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout",
            "30",
        )],
    };
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).into()))
        .collect()
}
