//! Two instances of the platform and fifty clients on the same servers of one cluster: no accepted
//! change is lost, and no answer says `running` of what is not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use futures::TryStreamExt as _;
use futures::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::{WatchStreamExt as _, watcher};
use mcp_platform::lifecycle::status;
use mcp_platform::model::State;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::place::{Place, kubeconfig, within_longer};

const CLIENTS: usize = 50;
const ROUNDS: usize = 3;
const SERVERS: [&str; 4] = ["a", "b", "c", "d"];

/// The echo server with a key of its own for every client.
fn template() -> String {
    use std::fmt::Write as _;
    let mut text = include_str!("../../../templates/echo/template.toml")
        .replace("id = \"echo\"", "id = \"many\"")
        .replace("grace-seconds = 10", "grace-seconds = 1");
    for client in 0..CLIENTS {
        write!(
            text,
            "\n[configuration.schema.properties.c{client}]\ntype = \"integer\"\n\
             \n[[configuration.setting]]\nkey = \"c{client}\"\nenvironment = \"C{client}\"\n"
        )
        .unwrap();
    }
    text
}

/// A platform that serves.
struct Platform {
    url: String,
    _child: Child,
}

async fn platform(place: &Place, folder: &std::path::Path, state: &str) -> Platform {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
        .args(["serve", "--listen", "127.0.0.1:0", "--rate", "0"])
        .args(["--backend", "kubernetes", "--timeout", "120"])
        .args(["--namespace", place.namespace.as_str(), "--templates"])
        .arg(folder.join("templates"))
        .env_clear()
        .env("KUBECONFIG", kubeconfig().unwrap())
        .env("MCP_STATE_DIR", folder.join(state))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.strip_prefix("listening on ").unwrap();
    let url = url.split(' ').next().unwrap().to_owned();
    Platform { url, _child: child }
}

/// One client of a platform.
struct Client<'a> {
    http: &'a reqwest::Client,
    platform: &'a Platform,
}

impl Client<'_> {
    fn url(&self, path: &str) -> String {
        format!("{}api/templates/{path}", self.platform.url)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.http.post(self.url(path)).json(body).send();
        let answer = answer.await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, name: &str) -> Value {
        let url = self.url(&format!("deployments/{name}/"));
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut answer: Value = answer.json().await.unwrap();
        answer["deployment"].take()
    }
}

/// What the cluster had of each server, one after the other.
#[derive(Default)]
struct History {
    revisions: BTreeMap<String, BTreeSet<String>>,
    replicas: BTreeMap<String, BTreeSet<i32>>,
}

fn note(history: &Mutex<History>, deployment: &Deployment) {
    let mut history = history.lock().unwrap();
    let name = deployment.metadata.name.clone().unwrap();
    let labels = deployment.metadata.labels.as_ref().unwrap();
    let revision = labels["mcp-platform/revision"].clone();
    let replicas = deployment.spec.as_ref().unwrap().replicas.unwrap();
    let revisions = history.revisions.entry(name.clone()).or_default();
    revisions.insert(revision);
    history.replicas.entry(name).or_default().insert(replicas);
}

fn rolled_out(deployment: &Deployment) -> bool {
    let wanted = deployment.spec.as_ref().unwrap().replicas;
    let status = deployment.status.as_ref().unwrap();
    status.observed_generation >= deployment.metadata.generation
        && status.updated_replicas == wanted
        && status.ready_replicas == wanted
        && status.replicas == wanted
}

/// Whether an answer is true of what the cluster had before and after it.
async fn truthful(place: &Place, client: &Client<'_>, name: &str) {
    let api = place.api::<Deployment>();
    let before = api.get(name).await.unwrap();
    let answer = client.get(name).await;
    let after = api.get(name).await.unwrap();
    let same = before.metadata.resource_version == after.metadata.resource_version;
    let of_it = answer["generation"].as_i64() == before.metadata.generation;
    if same && of_it && answer["status"] == "running" {
        assert!(rolled_out(&before), "{name}: {answer} of {before:?}");
    }
    if answer["status"] == "running" {
        let number = |key: &str| answer[key].as_u64().unwrap();
        assert!(number("observed_generation") >= number("generation"));
        assert_eq!(number("ready_replicas"), number("replicas"), "{answer}");
        assert_eq!(number("updated_replicas"), number("replicas"), "{answer}");
    }
}

/// What a client was told.
#[derive(Default)]
struct Told {
    /// The last value of its own key that was accepted.
    value: Option<usize>,
    /// Revisions and numbers of instances that were accepted.
    revisions: Vec<String>,
    replicas: Vec<i32>,
    refused: usize,
}

fn expected(code: u16, answer: &Value) -> bool {
    match code {
        200 | 202 => true,
        409 => false,
        _ => panic!("{code}: {answer}"),
    }
}

/// One client's work on its server.
async fn works(place: &Place, clients: [&Client<'_>; 2], number: usize) -> Told {
    let name = SERVERS[number % SERVERS.len()];
    let (mine, other) = (clients[number / 4 % 2], clients[(number / 4 + 1) % 2]);
    let mut told = Told::default();
    for round in 0..ROUNDS {
        let value = round + 1;
        let wait = (number + round).is_multiple_of(2);
        let path = format!("deployments/{name}/update/?wait={wait}");
        let body = json!({"configuration": {format!("c{number}"): value}});
        let (code, answer) = mine.post(&path, &body).await;
        if expected(code, &answer) {
            told.value = Some(value);
            let revision = answer["deployment"]["revision"].as_str();
            told.revisions.extend(revision.map(str::to_owned));
        } else {
            told.refused += 1;
        }
        truthful(place, other, name).await;
        let replicas = i32::try_from((number + round) % 4 + 1).unwrap();
        let (what, body) = match (number + round) % 5 {
            0 => ("stop", json!({})),
            1 => ("restart", json!({})),
            2 => ("scale", json!({"replicas": replicas})),
            _ => ("start", json!({})),
        };
        let path = format!("deployments/{name}/{what}/?wait={}", !wait);
        let (code, answer) = mine.post(&path, &body).await;
        let accepted = expected(code, &answer);
        if accepted && what == "scale" {
            told.replicas.push(replicas);
        }
        told.refused += usize::from(!accepted);
        truthful(place, mine, name).await;
    }
    told
}

/// Everything that was begun is done, and both say of it what the cluster says.
async fn agrees(place: &Place, clients: [&Client<'_>; 2], name: &str) -> BTreeMap<String, String> {
    for client in clients {
        let (code, answer) = client
            .post(&format!("deployments/{name}/start/"), &json!({}))
            .await;
        assert!(code == 200 || code == 409, "{code}: {answer}");
    }
    let observed = place
        .until(name, |one| {
            one.is_some_and(|one| matches!(status(one).state, State::Running | State::Stopped))
        })
        .await
        .unwrap();
    let spec = observed.spec.unwrap();
    assert_eq!(observed.revision, Some(spec.revision()), "{name}");
    let objects = place.objects(name).await;
    let configured = format!("ConfigMap/{name}-config-{}", spec.revision());
    assert!(objects.contains(&configured), "{configured}: {objects:?}");
    for client in clients {
        let answer = client.get(name).await;
        assert_eq!(answer["revision"].as_str(), observed.revision.as_deref());
        assert_eq!(answer["replicas"], observed.desired, "{answer}");
        let word = status(&place.observe(name).await.unwrap()).state.word();
        assert_eq!(answer["status"], word, "{answer}");
    }
    spec.environment.clone()
}

#[test]
fn two_instances_and_fifty_clients() {
    within_longer(|place| async move {
        let folder = tempfile::tempdir().unwrap();
        let templates = folder.path().join("templates/many");
        std::fs::create_dir_all(&templates).unwrap();
        std::fs::write(templates.join("template.toml"), template()).unwrap();
        let (one, two) = tokio::join!(
            platform(&place, folder.path(), "one"),
            platform(&place, folder.path(), "two")
        );
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let clients = [&one, &two].map(|platform| Client {
            http: &http,
            platform,
        });
        let clients = [&clients[0], &clients[1]];
        for name in SERVERS {
            let body = json!({"name": name, "replicas": 2, "image": "127.0.0.1:9/echo:1"});
            let (code, answer) = clients[0].post("deploy/many/", &body).await;
            assert!(code < 300, "{code}: {answer}");
        }
        let history = Arc::new(Mutex::new(History::default()));
        let watching = {
            let history = Arc::clone(&history);
            let watch = watcher(place.api::<Deployment>(), watcher::Config::default());
            let noted = watch.default_backoff().applied_objects();
            tokio::spawn(noted.try_for_each(move |deployment| {
                note(&history, &deployment);
                std::future::ready(Ok(()))
            }))
        };
        let told = join_all((0..CLIENTS).map(|number| works(&place, clients, number))).await;
        let mut last = BTreeMap::new();
        for name in SERVERS {
            last.insert(name, agrees(&place, clients, name).await);
        }
        watching.abort();
        let history = history.lock().unwrap();
        let mut accepted = 0;
        for (number, told) in told.iter().enumerate() {
            let name = SERVERS[number % SERVERS.len()];
            let key = format!("C{number}");
            let value = last[name].get(&key).map(|text| text.parse().unwrap());
            assert!(
                value >= told.value,
                "{key} of {name}: {value:?}, {:?}",
                told.value
            );
            for revision in &told.revisions {
                assert!(
                    history.revisions[name].contains(revision),
                    "{name} {revision}"
                );
            }
            for replicas in &told.replicas {
                assert!(
                    history.replicas[name].contains(replicas),
                    "{name} {replicas}"
                );
            }
            accepted += told.revisions.len() + told.replicas.len();
        }
        let refused: usize = told.iter().map(|told| told.refused).sum();
        assert!(accepted > CLIENTS, "{accepted} accepted, {refused} refused");
    });
}
