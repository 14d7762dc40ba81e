//! What a person sees at the command line: each screen as it is printed, without colour, and no wider
//! than a terminal of 80 columns.

use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long one verb may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs one verb after the other on the mock, and shows what was typed and what was printed.
struct Terminal {
    folder: tempfile::TempDir,
    faults: &'static str,
}

impl Terminal {
    fn new(faults: &'static str) -> Terminal {
        Terminal {
            folder: tempfile::tempdir().unwrap(),
            faults,
        }
    }

    /// The screen after a verb: stdout, then stderr, then the exit code when it is not 0.
    async fn screen(&self, line: &str) -> String {
        let child = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("COLUMNS", "80")
            .env("MCP_STATE_DIR", self.folder.path())
            .env("MCP_DEPLOYMENT_BACKEND", "mock")
            .env("MCP_MOCK_FAULTS", self.faults)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let done = tokio::time::timeout(PATIENCE, child).await;
        let done = done.expect("it ends").unwrap();
        let mut text = String::from_utf8(done.stdout).unwrap();
        text.push_str(&String::from_utf8(done.stderr).unwrap());
        if let Some(code @ 1..) = done.status.code() {
            text.push_str(&format!("[{code}]\n"));
        }
        redacted(&text, self.folder.path())
    }

    async fn shows(&self, line: &str, wanted: &str) {
        let screen = self.screen(line).await;
        assert_eq!(
            screen.trim_end(),
            wanted.trim(),
            "\n$ mcp-platform {line}\n{screen}"
        );
        assert!(!screen.contains('\u{1b}'), "{screen}");
        // The sentences of an error are as long as they are; the terminal wraps them.
        for line in screen.lines().filter(|_| !screen.contains("error: ")) {
            assert!(line.chars().count() <= 80, "wider than 80: {line}");
        }
    }
}

/// What differs from run to run or from version to version.
fn redacted(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "STATE");
    let text = without_versions(&text);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let words: Vec<String> = line
            .split(' ')
            .map(|word| {
                let bare = word.trim_end_matches([',', ')']);
                let hash = bare.len() == 10 && bare.chars().all(|each| each.is_ascii_hexdigit());
                let rest = &word[bare.len()..];
                if hash {
                    format!("REVISION{rest}")
                } else {
                    word.to_owned()
                }
            })
            .collect();
        let line = words.join(" ");
        lines.push(match line.split_once("  age ") {
            Some((before, _)) => format!("{before}  age AGE"),
            None => line,
        });
    }
    lines.join("\n")
}

/// Three numbers with points between them are a version; four are an address.
fn without_versions(text: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    for each in text.chars().chain(['\n']) {
        if each.is_ascii_digit() || each == '.' {
            run.push(each);
            continue;
        }
        let numbers: Vec<&str> = run.split('.').collect();
        let version = numbers.len() == 3 && numbers.iter().all(|number| !number.is_empty());
        shown.push_str(if version { "VERSION" } else { &run });
        run.clear();
        shown.push(each);
    }
    shown
}

#[tokio::test]
async fn a_server_from_its_plan_to_its_end() {
    let terminal = Terminal::new("");
    let check = [
        ("list", "no servers in mcp-servers (STATE/mock.json)"),
        (
            "deploy echo --name one --plan",
            "mcp-servers/one: would do\n  create revision REVISION, 1 wanted",
        ),
        (
            "deploy echo --name one --quiet",
            "mcp-servers/one: running: 1 of 1 ready\n  http://192.0.2.150:8080",
        ),
        (
            "deploy echo --name one --plan",
            "mcp-servers/one: nothing to do",
        ),
        (
            "deploy echo --name one --set greeting=hi --replicas 2 --plan",
            "mcp-servers/one: would do\n  change to revision REVISION, 2 wanted",
        ),
        (
            "list",
            "
NAME  STATUS   READY  REASON  ENDPOINT
one   running  1/1    ready   http://192.0.2.150:8080",
        ),
        (
            "list -A",
            "
NAMESPACE    NAME  STATUS   READY  REASON  ENDPOINT
mcp-servers  one   running  1/1    ready   http://192.0.2.150:8080",
        ),
        ("status one", RUNNING),
        (
            "stop one --quiet",
            "mcp-servers/one: stopped: no instance is wanted, and none is there
  http://192.0.2.150:8080",
        ),
        ("status one", STOPPED),
        ("delete one --quiet", "mcp-servers/one: gone"),
    ];
    for (line, wanted) in check {
        terminal.shows(line, wanted).await;
    }
}

const RUNNING: &str = "
mcp-servers/one  running
  reason      ready: 1 of 1 ready
  instances   1 wanted, 1 there, 1 updated, 1 ready, 1 available
  template    echo VERSION (stateless)
  image       ghcr.io/mcp-shipyard/mcp-platform:VERSION
  revision    REVISION
  age AGE
  endpoint    http://192.0.2.150:8080
  instance    one-1  ready
  condition   Available True: 1 of 1 available";

const STOPPED: &str = "
mcp-servers/one  stopped
  reason      stopped: no instance is wanted, and none is there
  instances   0 wanted, 0 there, 0 updated, 0 ready, 0 available
  template    echo VERSION (stateless)
  image       ghcr.io/mcp-shipyard/mcp-platform:VERSION
  revision    REVISION
  at start    1 instance
  age AGE
  endpoint    http://192.0.2.150:8080
  condition   Available True: 0 of 0 available";

#[tokio::test]
async fn what_fails_says_why_and_what_to_do() {
    let terminal = Terminal::new("bad=crash");
    let check = [
        (
            "deploy echo --name bad --fault-timeout 0 --quiet",
            "
error: mcp-servers/bad failed: ended with code 1, and is started again (crash-loop); removed what was created
  try: keep what fails with --no-wait, then look: mcp-platform logs bad
[1]",
        ),
        (
            "status bad",
            "
error: there is no server mcp-servers/bad
  try: mcp-platform list
[2]",
        ),
        (
            "deploy nope",
            "
error: there is no template \"nope\"
  try: the templates are echo, mcp-server-jupyter
[2]",
        ),
        (
            "deploy echo --set token=short --set colour=1",
            "
error: the configuration breaks the schema of echo
  /configuration/token: value is shorter than 8 characters
  /configuration: Additional properties are not allowed ('colour' was unexpected)
  try: see the schema with `mcp-platform template echo`
[2]",
        ),
        (
            "start Bad_Name",
            "
error: \"Bad_Name\" is no name: 'B' is none of the lower-case ASCII letters, digits and '-'
  try: names are DNS-1123 labels, for example `notebooks-2`
[2]",
        ),
    ];
    for (line, wanted) in check {
        terminal.shows(line, wanted).await;
    }
    let away = Terminal::new("api-down");
    away.shows(
        "doctor",
        "
STATE/mock.json
reachable  bad  the mock is told to be away
error: STATE/mock.json cannot run servers now: see reachable
[5]",
    )
    .await;
}

#[tokio::test]
async fn what_says_where_is_never_passed_over() {
    let terminal = Terminal::new("");
    let check = [
        (
            "list --cluster a --cluster b",
            "
error: 2 clusters are named, and this works on one
  try: name one; `mcp-platform serve` and `mcp-platform mcp` take several
[2]",
        ),
        (
            "--backend process serve --cluster a --cluster b",
            "
error: the back end process has one place and no clusters
  try: --cluster is for --backend kubernetes
[2]",
        ),
        (
            "--backend process list --cluster prod",
            "
error: the back end process has one place and no clusters
  try: --cluster is for --backend kubernetes
[2]",
        ),
        (
            "token create guest --namespace team",
            "
error: --namespace says where a verb works, not what a token is for
  try: mcp-platform token create NAME --for-namespace NAMESPACE
[2]",
        ),
        (
            "serve --listen 0.0.0.0:0",
            "
error: 0.0.0.0:0 can be reached by others, and there is no token: everyone could deploy
  try: mcp-platform token create NAME --role admin
  try: or listen on 127.0.0.1
[2]",
        ),
    ];
    for (line, wanted) in check {
        terminal.shows(line, wanted).await;
    }
}

/// Taken as one that is not set, it would let us work elsewhere.
#[tokio::test]
async fn a_variable_that_is_no_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let broken = std::ffi::OsString::from_vec(b"/tmp/\xff".to_vec());
    let list = Command::new(env!("CARGO_BIN_EXE_mcp-platform"))
        .arg("list")
        .current_dir(folder.path())
        .env_clear()
        .env("HOME", folder.path())
        .env("MCP_STATE_DIR", broken)
        .output();
    let done = tokio::time::timeout(PATIENCE, list).await;
    let done = done.expect("it ends").unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(
        said,
        "error: the environment variable MCP_STATE_DIR is not UTF-8\n"
    );
    assert_eq!(done.status.code(), Some(2));
}

#[tokio::test]
async fn what_there_is_to_choose_from() {
    let terminal = Terminal::new("");
    let check = [
        (
            "templates",
            "
ID                  VERSION  STATEFULNESS  TITLE
echo                VERSION    stateless     Echo
mcp-server-jupyter  VERSION    singleton     Jupyter kernels and notebooks",
        ),
        (
            "clusters",
            "
no clusters: no kubeconfig was found, and this is no pod
name one with KUBECONFIG, or a folder of them with KUBECONFIG_DIR",
        ),
        ("token list", "there are no tokens"),
    ];
    for (line, wanted) in check {
        terminal.shows(line, wanted).await;
    }
    terminal.screen("token create reader --role viewer").await;
    let line = "token create boss --role admin --for-namespace team-a";
    terminal.screen(line).await;
    let wanted = "
NAME    ROLE    NAMESPACES  EXPIRES
reader  viewer  all         never
boss    admin   team-a      never";
    terminal.shows("token list", wanted).await;
}
