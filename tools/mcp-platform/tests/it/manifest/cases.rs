//! Servers of every kind, with what they are rendered with.

use std::collections::BTreeMap;

use mcp_platform::manifest::{
    Autoscaling, PROFILES, Protection, RenderOptions, SecretValues, divide, objects, write,
};
use mcp_platform::model::{
    Companion, Exposure, Identity, ImageReference, Name, Peer, PeerPlace, Peers, Port, Probe,
    Protocol, Provenance, Resources, Run, Secret, Secrets, Spec, Statefulness, Transport, Volume,
};
use serde_json::Value;

/// One server with what it is rendered with.
pub struct Case {
    pub word: String,
    pub spec: Spec,
    pub options: RenderOptions,
}

impl Case {
    pub fn objects(&self) -> Vec<Value> {
        objects(&self.spec, &self.options)
    }

    /// What `render` writes, Secrets left out.
    pub fn text(&self) -> String {
        let (objects, secrets) = divide(self.objects(), SecretValues::LeftOut);
        write(&self.word, &objects, &secrets).unwrap()
    }
}

fn image(name: &str) -> ImageReference {
    let digest = "0a".repeat(32);
    ImageReference::parse(&format!("registry.example:5000/{name}@sha256:{digest}")).unwrap()
}

/// A stateless server over streamable HTTP, with one of everything.
pub fn spec() -> Spec {
    let resources = Resources {
        cpu_request: 100,
        cpu_limit: 1500,
        memory_request: 128 << 20,
        memory_limit: 1 << 30,
    };
    let probe = |path: &str| Probe {
        path: path.to_owned(),
        initial_seconds: 5,
        period_seconds: 10,
        failures: 3,
    };
    let pair = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
    Spec {
        identity: Identity {
            namespace: Name::label("mcp-servers").unwrap(),
            name: Name::server("notes").unwrap(),
        },
        template: "notes".to_owned(),
        version: "1.0.0+build.7".to_owned(),
        configuration: serde_json::Map::new(),
        run: Run {
            image: Some(image("notes")),
            command: vec!["server".to_owned()],
            arguments: vec![
                "--port".to_owned(),
                "{port}".to_owned(),
                "$(HOME)".to_owned(),
            ],
            ..Run::default()
        },
        transport: Transport::StreamableHttp {
            path: "/mcp".to_owned(),
        },
        port: 8080,
        bearer: Some("MCP_TOKEN".to_owned()),
        health: Some(probe("/health")),
        ready: Some(probe("/ready")),
        sessions: None,
        environment: pair("LOG_LEVEL", "info"),
        files: pair(
            "/etc/notes/settings.json",
            "{\"a\": \"yes\"}\n# ---\n\ttab: ü\u{85}\n",
        ),
        secrets: secrets(),
        secrets_id: "word".to_owned(),
        resources,
        volumes: Vec::new(),
        peers: peers(),
        statefulness: Statefulness::Stateless,
        replicas: 2,
        manages_kernels: false,
        exposure: Exposure::ClusterIp,
        grace_seconds: 30,
        drain_seconds: 20,
        companions: vec![
            companion("mongodb", 27017, resources, true),
            companion("admin", 8081, resources, true),
            companion("spare", 9000, resources, false),
        ],
        provenance: Provenance {
            commit: Some("0123abc".to_owned()),
            wheel_sha256: Some("0f".repeat(32)),
            image_source: None,
        },
    }
}

fn secrets() -> Secrets {
    let secret = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), Secret::new(value))]);
    Secrets {
        id: "word".to_owned(),
        environment: secret("MCP_TOKEN", "hunter2"),
        files: secret("/run/secrets/key", "hunter3"),
        generated: secret("mongodb/password", "hunter4"),
    }
}

fn peers() -> Peers {
    Peers {
        ingress: Vec::new(),
        egress: vec![
            Peer {
                place: PeerPlace::Internet,
                ports: vec![Port {
                    protocol: Protocol::Tcp,
                    port: 443,
                }],
            },
            Peer {
                place: PeerPlace::Namespace("search".to_owned()),
                ports: Vec::new(),
            },
            Peer {
                place: PeerPlace::Network("192.0.2.0/24".to_owned()),
                ports: Vec::new(),
            },
        ],
    }
}

fn companion(name: &str, port: u16, resources: Resources, enabled: bool) -> Companion {
    let database = name == "mongodb";
    Companion {
        name: name.to_owned(),
        image: image(name),
        port,
        enabled,
        environment: BTreeMap::from([("SERVER".to_owned(), "notes-mongodb".to_owned())]),
        generated: BTreeMap::from([("PASSWORD".to_owned(), "mongodb/password".to_owned())]),
        volume: database.then(|| volume("data", 10 << 30)),
        resources,
        reaches: if database {
            Vec::new()
        } else {
            vec!["mongodb".to_owned()]
        },
        user: 999,
    }
}

fn volume(name: &str, size: u64) -> Volume {
    Volume {
        name: name.to_owned(),
        path: format!("/{name}"),
        size,
        storage_class: Some("fast".to_owned()),
        variable: None,
    }
}

/// Every profile × statefulness × transport × exposure, each with and without a lasting volume, an
/// autoscaler and kernels.
pub fn every() -> Vec<Case> {
    let transports = [
        Transport::Stdio,
        Transport::StreamableHttp {
            path: "/mcp".to_owned(),
        },
        Transport::Websocket {
            path: "/mcp".to_owned(),
        },
    ];
    let exposures = [
        Exposure::ClusterIp,
        Exposure::NodePort { port: Some(30800) },
        Exposure::LoadBalancer,
        Exposure::Ingress {
            host: "mcp.example".to_owned(),
            tls_secret: None,
        },
        Exposure::Ingress {
            host: "mcp.example".to_owned(),
            tls_secret: Some("mcp-tls".to_owned()),
        },
    ];
    let mut all = Vec::new();
    for profile in PROFILES {
        for statefulness in [
            Statefulness::Stateless,
            Statefulness::Sticky,
            Statefulness::Singleton,
        ] {
            for transport in &transports {
                for exposure in &exposures {
                    for full in [false, true] {
                        let singleton = statefulness == Statefulness::Singleton;
                        let mut spec = Spec {
                            statefulness,
                            transport: transport.clone(),
                            exposure: exposure.clone(),
                            replicas: if singleton { 1 } else { 2 },
                            manages_kernels: full,
                            ..spec()
                        };
                        if full {
                            spec.volumes = vec![volume("data", 2 << 30), volume("tmp", 0)];
                        } else {
                            spec.companions.clear();
                        }
                        if *transport == Transport::Stdio {
                            (spec.health, spec.ready) = (None, None);
                        }
                        all.push(Case {
                            word: format!(
                                "{profile:?} {} {} {exposure:?} full={full}",
                                statefulness.word(),
                                transport.scheme()
                            ),
                            spec,
                            options: RenderOptions {
                                profile,
                                autoscaling: if full {
                                    Autoscaling::On
                                } else {
                                    Autoscaling::Off
                                },
                                protection: Protection::On,
                                monitoring: full.then(|| "monitoring".to_owned()),
                                ..RenderOptions::default()
                            },
                        });
                    }
                }
            }
        }
    }
    all
}
