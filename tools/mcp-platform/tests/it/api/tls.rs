//! The platform behind TLS: a client that verifies it, and certificates that are wrong.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use mcp_platform::api::Limits;
use mcp_platform::api::certificate::Certificate;
use mcp_platform::world;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use reqwest::Client;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use super::stand::{PATIENCE, Settings, Stand};

/// A certificate for this machine, good from one year to another, and its key.
struct Made {
    certificate: String,
    key: String,
}

fn made(from: i32, to: i32) -> Made {
    let mut parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(from, 1, 1);
    parameters.not_after = date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().unwrap();
    Made {
        certificate: parameters.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

fn good() -> Made {
    made(2020, 4000)
}

fn write(folder: &Path, certificate: &str, key: &str) -> Certificate {
    let files = Certificate {
        certificate: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    files
}

/// A client that trusts this certificate and no other.
fn client(certificate: &str) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    Client::builder()
        .no_proxy()
        .timeout(PATIENCE)
        .tls_certs_only([certificate])
        .build()
        .unwrap()
}

async fn asked(client: &Client, address: SocketAddr) -> Option<u16> {
    let answer = client.get(format!("https://{address}/health")).send();
    Some(answer.await.ok()?.status().as_u16())
}

async fn behind_tls(made: &Made, limits: Limits) -> Stand {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &made.certificate, &made.key);
    Stand::with(Settings {
        limits,
        tls: Some(files.load(world::now()).await.unwrap()),
        ..Settings::default()
    })
    .await
}

#[tokio::test]
async fn a_client_verifies_the_platform() {
    let made = good();
    let stand = behind_tls(&made, Limits::default()).await;
    assert_eq!(
        asked(&client(&made.certificate), stand.address).await,
        Some(200)
    );
    // Another certificate for the same address is not trusted.
    assert_eq!(
        asked(&client(&good().certificate), stand.address).await,
        None
    );
    let plain = stand.client.get(stand.url("/health")).send().await;
    assert!(plain.is_err() || plain.unwrap().status() != 200);
}

#[tokio::test]
async fn a_client_that_does_not_shake_hands_is_cut_off() {
    let made = good();
    let limits = Limits {
        header_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let stand = behind_tls(&made, limits).await;
    let mut silent = TcpStream::connect(stand.address).await.unwrap();
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, silent.read_to_end(&mut rest)).await;
    let _ = ended.expect("it is cut off");
    assert_eq!(
        asked(&client(&made.certificate), stand.address).await,
        Some(200)
    );
}

#[tokio::test]
async fn wrong_files_are_told_apart() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let says = async |certificate: &str, key: &str| {
        let files = write(folder.path(), certificate, key);
        files.load(now).await.unwrap_err().message
    };
    let (one, other) = (good(), good());
    let pair = says(&one.certificate, &other.key).await;
    assert!(pair.contains("cannot be used with the key"), "{pair}");
    let old = made(2020, 2021);
    let expired = says(&old.certificate, &old.key).await;
    assert!(
        expired.contains("it expired at 2021-01-01T00:00:00Z"),
        "{expired}"
    );
    let new = made(3000, 4000);
    let early = says(&new.certificate, &new.key).await;
    assert!(early.contains("only from 3000-01-01"), "{early}");
    let none = says("", &one.key).await;
    assert!(
        none.contains("certificate.pem holds no certificate"),
        "{none}"
    );
    let swapped = says(&one.certificate, &one.certificate).await;
    assert!(
        swapped.contains("key.pem holds no unencrypted private key"),
        "{swapped}"
    );
    let broken = says(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        &one.key,
    )
    .await;
    assert!(broken.contains("certificate.pem"), "{broken}");
    let files = write(folder.path(), &one.certificate, &one.key);
    std::fs::remove_file(&files.key).unwrap();
    let missing = files.load(now).await.unwrap_err().message;
    assert!(
        missing.contains("cannot read") && missing.contains("key.pem"),
        "{missing}"
    );
    // A wrong key is never shown.
    for said in [pair, swapped, broken] {
        assert!(!said.contains("BEGIN"), "{said}");
    }
}

fn serve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-platform"));
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(["--tls-certificate", "certificate.pem"])
        .args(["--tls-key", "key.pem"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("MCP_STATE_DIR", folder.join("state"))
        .env("MCP_DEPLOYMENT_BACKEND", "mock")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn line(lines: &mut Lines<impl tokio::io::AsyncBufRead + Unpin>) -> String {
    let line = timeout(PATIENCE, lines.next_line());
    line.await.expect("a line").unwrap().expect("no end")
}

#[tokio::test]
async fn the_program_refuses_wrong_files_and_reads_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (good(), good());
    write(folder.path(), &one.certificate, &other.key);
    let refused = timeout(PATIENCE, serve(folder.path()).output()).await;
    let refused = refused.expect("it ends").unwrap();
    assert_eq!(refused.status.code(), Some(5));
    assert!(refused.stdout.is_empty(), "it never listened");

    write(folder.path(), &one.certificate, &one.key);
    let mut child = serve(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = line(&mut said).await;
    let address = address.split("https://").nth(1).unwrap();
    let address: SocketAddr = address.split('/').next().unwrap().parse().unwrap();
    assert_eq!(asked(&client(&one.certificate), address).await, Some(200));
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap());

    // A wrong pair is said, and the old one stays.
    write(folder.path(), &one.certificate, &other.key);
    kill(pid, Signal::SIGHUP).unwrap();
    let note = line(&mut notes).await;
    assert!(note.contains("cannot be used"), "{note}");
    assert_eq!(asked(&client(&one.certificate), address).await, Some(200));

    write(folder.path(), &other.certificate, &other.key);
    kill(pid, Signal::SIGHUP).unwrap();
    while line(&mut notes).await != "the certificate was read again" {}
    assert_eq!(asked(&client(&other.certificate), address).await, Some(200));
    assert_eq!(asked(&client(&one.certificate), address).await, None);
    kill(pid, Signal::SIGTERM).unwrap();
    let ended = timeout(PATIENCE, child.wait()).await;
    assert!(ended.expect("it ends").unwrap().success());
}
