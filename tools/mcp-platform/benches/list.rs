//! How fast many servers are listed and read through `serve`, and what the platform costs besides.
//!
//! `README.md` beside it says how to run it and what one run gave. Nothing here asserts a time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads its environment, and has failed when it cannot go on"
)]

mod cluster;
mod stand;

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use stand::{Program, mock};

const READS: usize = 400;
const LISTS: usize = 200;
const CALLERS: usize = 8;

fn main() {
    // Whoever is second finds the choice made.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let optimised = if cfg!(debug_assertions) { "no" } else { "yes" };
        println!("optimised: {optimised}");
        start_up();
        on_the_mock(number("MCP_BENCH_SERVERS", 5_000)).await;
        process().await;
        match std::env::var("MCP_TEST_KUBECONFIG") {
            Ok(file) => {
                cluster::deploy(&file);
                kubernetes(&file, number("MCP_BENCH_CLUSTER_SERVERS", 5_000)).await;
            }
            Err(_) => println!("kubernetes: off, MCP_TEST_KUBECONFIG is not set"),
        }
    });
}

fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |text| text.parse().unwrap())
}

/// The program that only says its version.
fn start_up() {
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let begun = Instant::now();
            stand::run(stand::PROGRAM, &["--version"], &[]);
            begun.elapsed()
        })
        .collect();
    println!("start-up: {}", spread(&mut times));
}

async fn on_the_mock(servers: usize) {
    let before = stand::memory("self");
    let begun = Instant::now();
    let mock = mock(servers).await;
    println!("mock: {servers} servers made in {:.1?}", begun.elapsed());
    let url = format!("http://{}", mock.address);
    let whole = format!("{url}/api/templates/deployments/?limit=10000");
    let page = format!("{url}/api/templates/deployments/?limit=100");
    let one = format!("{url}/api/templates/deployments/server-7/");
    assert_eq!(count(&whole).await, servers);
    let list = series("mock, whole list", &whole, LISTS, 1).await;
    series("mock, page of 100", &page, LISTS, 1).await;
    let status = series("mock, one status", &one, READS, 1).await;
    series("mock, one status, 8 callers", &one, READS * 4, CALLERS).await;
    series("mock, whole list, 8 callers", &whole, CALLERS * 2, CALLERS).await;
    println!("mock, whole list / one status: {:.0}", list / status);
    let after = stand::memory("self");
    println!("mock, VmRSS with client and servers: {after} MiB, {before} MiB before them");
}

/// Deploys echo as a process, and starts the same program by hand, in turn.
async fn process() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let surroundings = [("MCP_STATE_DIR", state)];
    let (mut deployed, mut by_hand) = (Vec::new(), Vec::new());
    for turn in 0..5 {
        let name = format!("bench-{turn}");
        let begun = Instant::now();
        let run = |rest: &[&str]| {
            let arguments = [&["--backend", "process", "--quiet"], rest].concat();
            stand::run(stand::PROGRAM, &arguments, &surroundings);
        };
        run(&["deploy", "echo", "--name", &name]);
        deployed.push(begun.elapsed());
        run(&["delete", &name]);
        let begun = Instant::now();
        let port = stand::free_port();
        let echo = ["echo", "--port", &port.to_string()].map(str::to_owned);
        let echo = Program::start(&echo, &[]);
        stand::ready(&format!("http://127.0.0.1:{port}/ready")).await;
        by_hand.push(begun.elapsed());
        echo.end();
    }
    println!("process, deploy until ready: {}", spread(&mut deployed));
    println!(
        "process, echo by hand until ready: {}",
        spread(&mut by_hand)
    );
    println!(
        "process, deploy / by hand: {:.1}",
        middle(&deployed) / middle(&by_hand)
    );
}

/// The list of one namespace from the watch cache of `serve`, and the same by kubectl, in turn.
async fn kubernetes(file: &str, servers: usize) {
    let namespace = format!("bench-list-{}", std::process::id());
    let kubectl = [("KUBECONFIG", file)];
    stand::run("kubectl", &["create", "namespace", &namespace], &kubectl);
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let port = stand::free_port();
    let listen = format!("127.0.0.1:{port}");
    let arguments = [
        "--backend",
        "kubernetes",
        "--namespace",
        &namespace,
        "--quiet",
        "serve",
        "--listen",
        &listen,
        "--rate",
        "0",
    ]
    .map(str::to_owned);
    let begun = Instant::now();
    let surroundings = [("KUBECONFIG", file), ("MCP_STATE_DIR", state)];
    let program = Program::start(&arguments, &surroundings);
    let url = format!("http://{listen}");
    stand::ready(&format!("{url}/ready")).await;
    println!("kubernetes, serve until /ready: {:.0?}", begun.elapsed());

    let begun = Instant::now();
    stand::fill(file, &namespace, state, servers);
    println!(
        "kubernetes, {servers} Deployments made in {:.1?}",
        begun.elapsed()
    );
    let whole = format!("{url}/api/templates/deployments/?limit=10000&namespace={namespace}");
    let deadline = Instant::now() + Duration::from_secs(300);
    // Until the cluster has taken up all of them it is busy with them, on the same cores.
    let stopped = format!("{whole}&status=stopped");
    while count(&stopped).await < servers && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    println!(
        "kubernetes, the cluster has taken them up after {:.1?}",
        begun.elapsed()
    );
    assert_eq!(count(&stopped).await, servers, "the cache follows");
    let list = series("kubernetes, whole list", &whole, LISTS, 1).await;
    let one = format!("{url}/api/templates/deployments/one-7/");
    series("kubernetes, one status", &one, LISTS, 1).await;
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let begun = Instant::now();
            let arguments = ["get", "deployments", "-o", "json", "-n", &namespace];
            stand::run("kubectl", &arguments, &kubectl);
            begun.elapsed()
        })
        .collect();
    println!(
        "kubernetes, kubectl get deployments -o json: {}",
        spread(&mut times)
    );
    println!(
        "kubernetes, kubectl / whole list: {:.1}",
        middle(&times) / list
    );
    println!(
        "kubernetes, VmRSS of serve: {} MiB",
        stand::memory(&program.id())
    );
    program.end();
    let arguments = ["delete", "namespace", &namespace, "--wait=false"];
    stand::run("kubectl", &arguments, &kubectl);
}

/// How many servers a list has.
async fn count(url: &str) -> usize {
    let text = stand::get(&stand::client(), url).await;
    let list: Value = serde_json::from_slice(&text).unwrap();
    list["deployments"]
        .as_array()
        .unwrap_or_else(|| panic!("no list: {}", json!(list)))
        .len()
}

/// Reads a page again and again; gives the middle in seconds.
async fn series(what: &str, url: &str, reads: usize, callers: usize) -> f64 {
    let client: Client = stand::client();
    let size = stand::drain(&client, url).await;
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (client, url) = (client.clone(), url.to_owned());
            tokio::spawn(async move {
                let mut times = Vec::new();
                for _ in 0..reads / callers {
                    let begun = Instant::now();
                    stand::drain(&client, &url).await;
                    times.push(begun.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    println!(
        "{what}: {}, {rate:.0} a second, {} KiB",
        spread(&mut times),
        size / 1024
    );
    middle(&times)
}

/// p50, p99 and how many; sorts them.
pub fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let at = |hundredths: usize| times[(times.len() * hundredths / 100).min(times.len() - 1)];
    format!("p50 {:.2?}, p99 {:.2?} of {}", at(50), at(99), times.len())
}

/// The middle of sorted times in seconds.
pub fn middle(sorted: &[Duration]) -> f64 {
    sorted[sorted.len() / 2].as_secs_f64()
}
