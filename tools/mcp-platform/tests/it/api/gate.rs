//! Who gets in: tokens, roles, namespaces, Host, Origin, rate, size and time.

use std::time::Duration;

use mcp_platform::api::Limits;
use mcp_platform::api::caller::Role;
use mcp_platform::api::gate::Tokens;
use mcp_platform::api::serve::may_listen;
use mcp_platform::api::tokens;
use mcp_platform::model::Name;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::stand::{PATIENCE, Settings, Stand, answer};

const ALL: &str = "/api/templates/deployments/";

#[tokio::test]
async fn roles_and_namespaces_decide() {
    let stand = Stand::new().await;
    stand.deploy("one").await;
    let viewer = stand.token("viewer", Role::Viewer, &[]);
    let operator = stand.token("operator", Role::Operator, &[]);
    let admin = stand.token("admin", Role::Admin, &[]);
    let elsewhere = stand.token("elsewhere", Role::Admin, &["team-b"]);
    let here = stand.token("here", Role::Operator, &["team-a"]);
    let scale = format!("{ALL}one/scale/");
    let logs = format!("{ALL}one/logs/");
    let two = json!({"replicas": 2});
    let deploy = json!({"name": "two"});
    let tries = [
        (Method::GET, ALL, None, [200, 200, 200, 200, 200]),
        (
            Method::GET,
            "/api/templates/",
            None,
            [200, 200, 200, 200, 200],
        ),
        (Method::GET, "/metrics", None, [200, 200, 200, 200, 200]),
        (Method::GET, "/api/backup/", None, [200, 200, 200, 200, 200]),
        (Method::GET, logs.as_str(), None, [200, 200, 200, 403, 200]),
        (
            Method::POST,
            scale.as_str(),
            Some(&two),
            [403, 200, 200, 403, 200],
        ),
        (
            Method::POST,
            "/api/templates/deploy/echo/",
            Some(&deploy),
            [403, 403, 201, 403, 403],
        ),
        (
            Method::DELETE,
            "/api/templates/deployments/two/delete/",
            None,
            [403, 403, 200, 403, 403],
        ),
    ];
    for (method, path, body, wanted) in tries {
        let callers = [&viewer, &operator, &admin, &elsewhere, &here];
        for (token, wanted) in callers.into_iter().zip(wanted) {
            let mut request = stand.ask(method.clone(), path).bearer_auth(token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let got = request.send().await.unwrap().status();
            assert_eq!(got, wanted, "{method} {path}");
        }
        let nobody = stand.ask(method.clone(), path).send().await.unwrap();
        assert_eq!(nobody.status(), 401, "{method} {path}");
        assert!(nobody.headers().contains_key("www-authenticate"));
    }
    // Who may not see a namespace does not hear of its servers.
    let (_, list) = answer(stand.ask(Method::GET, ALL).bearer_auth(&elsewhere)).await;
    assert_eq!(list["count"], 0);
    let asked = stand.ask(Method::GET, &format!("{ALL}?namespace=team-a"));
    assert_eq!(answer(asked.bearer_auth(&elsewhere)).await.0, 403);
    for path in ["/health", "/ready", "/openapi.json", "/docs", "/"] {
        let page = stand.ask(Method::GET, path).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn wrong_tokens_are_refused_and_revoked_ones_at_once() {
    let stand = Stand::new().await;
    let token = stand.token("one", Role::Viewer, &[]);
    let status = async |value: &str| {
        let request = stand.ask(Method::GET, ALL).header("authorization", value);
        answer(request).await.0
    };
    assert_eq!(status(&format!("Bearer {token}")).await, 200);
    assert_eq!(status(&format!("bearer {token}")).await, 200);
    assert_eq!(status(&format!("Basic {token}")).await, 401);
    assert_eq!(status(&token).await, 401);
    assert_eq!(status("Bearer ").await, 401);
    assert_eq!(status("Bearer mcpp_0").await, 401);
    assert_eq!(
        status(&format!("Bearer {}", token.to_uppercase())).await,
        401
    );
    let path = stand.folder.path().join("tokens.toml");
    let hash = tokens::read(&path).unwrap().unwrap()[0].sha256.clone();
    assert_eq!(status(&format!("Bearer {hash}")).await, 401);
    tokens::revoke(&path, &Name::label("one").unwrap()).unwrap();
    assert_eq!(status(&format!("Bearer {token}")).await, 401);
    // A file that cannot be read lets nobody in.
    std::fs::write(&path, "schema = 2").unwrap();
    assert_eq!(stand.get(ALL).await.0, 503);
}

#[tokio::test]
async fn an_open_address_needs_tokens() {
    let open = "0.0.0.0:8000".parse().unwrap();
    assert!(may_listen(open, None).is_err());
    assert!(may_listen(open, Some(&[])).is_err());
    let loopback = "[::1]:8000".parse().unwrap();
    let needed = may_listen(loopback, None).unwrap();
    assert_eq!(needed, Tokens::NeededOnceThereAreAny);
    let settings = Settings {
        needed: Tokens::Needed,
        ..Settings::default()
    };
    // Even when the file goes away later.
    let stand = Stand::with(settings).await;
    assert_eq!(stand.get(ALL).await.0, 401);
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let stand = Stand::new().await;
    let deploy = |name: &'static str, value: String| {
        let request = stand.ask(Method::POST, "/api/templates/deploy/echo/");
        answer(request.header(name, value).json(&json!({"name": "one"})))
    };
    for host in ["evil.test", "127.0.0.1.evil.test", "localhost.evil.test"] {
        assert_eq!(deploy("host", host.to_owned()).await.0, 403, "{host}");
    }
    for origin in ["http://evil.test", "null", "http://127.0.0.1:1", "file://"] {
        assert_eq!(deploy("origin", origin.to_owned()).await.0, 403, "{origin}");
    }
    assert_eq!(
        deploy("sec-fetch-site", "cross-site".to_owned()).await.0,
        403
    );
    let (_, all) = stand.get(ALL).await;
    assert_eq!(all["count"], 0);
    assert!(stand.audit().is_empty());
    let own = format!("http://{}", stand.address);
    assert_eq!(deploy("origin", own).await.0, 201);
    assert_eq!(deploy("host", "platform.test".to_owned()).await.0, 200);
}

#[tokio::test]
async fn too_many_requests_are_sent_away_and_probes_are_not() {
    let settings = Settings {
        rate: (1, 3),
        ..Settings::default()
    };
    let stand = Stand::with(settings).await;
    for _ in 0..3 {
        assert_eq!(stand.get("/api/templates/").await.0, 200);
    }
    let refused = stand
        .ask(Method::GET, "/api/templates/")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 429);
    let wait = refused.headers()["retry-after"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(wait.parse::<u64>().unwrap() >= 1);
    assert_eq!(stand.get("/health").await.0, 200);
    // Guessing tokens is limited by address.
    stand.token("one", Role::Viewer, &[]);
    let mut last = 0;
    for _ in 0..4 {
        let request = stand.ask(Method::GET, ALL).bearer_auth("mcpp_guess");
        last = answer(request).await.0;
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_slow_body_is_cut_off() {
    let limits = Limits {
        body_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let settings = Settings {
        limits,
        ..Settings::default()
    };
    let stand = Stand::with(settings).await;
    for path in ["/api/templates/deploy/echo/", "/mcp"] {
        let mut stream = TcpStream::connect(stand.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
            stand.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let said = read(&mut stream).await;
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let stand = Stand::new().await;
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    let mut head = format!("GET /health HTTP/1.1\r\nHost: {}\r\n", stand.address);
    for number in 0..100 {
        head.push_str(&format!("X-{number}: x\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = read(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}

#[tokio::test]
async fn two_hosts_are_refused() {
    let stand = Stand::new().await;
    let mut stream = TcpStream::connect(stand.address).await.unwrap();
    let head = "GET /api/templates/ HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.test\r\n\
                Connection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = read(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 400"), "{said}");
}

/// What comes first.
async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut bytes));
    let count = read.await.expect("an answer").unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

#[tokio::test]
async fn changes_are_recorded_without_secrets() {
    let stand = Stand::new().await;
    let body = json!({"name": "one", "configuration": {"token": "hunter2hunter2"}});
    let (status, made) = stand.post("/api/templates/deploy/echo/", &body).await;
    assert_eq!(status, 201);
    stand
        .post(&format!("{ALL}one/scale/"), &json!({"replicas": 99}))
        .await;
    let (_, shown) = stand.get(&format!("{ALL}one/")).await;
    let (_, backup) = stand.get("/api/backup/").await;
    let (_, metrics) = stand.get("/metrics").await;
    let logs = stand.ask(Method::GET, &format!("{ALL}one/logs/"));
    let logs = logs.send().await.unwrap().text().await.unwrap();
    let audit = stand.audit();
    for said in [
        &made,
        &shown,
        &backup,
        &metrics,
        &json!(logs),
        &json!(audit),
    ] {
        assert!(!said.to_string().contains("hunter2"), "{said}");
    }
    let words: Vec<String> = audit
        .iter()
        .map(|line| format!("{} {}", line["operation"], line["outcome"]))
        .collect();
    let wanted = [
        "\"deploy\" \"begun\"",
        "\"deploy\" \"done\"",
        "\"scale\" \"begun\"",
        "\"scale\" \"invalid\"",
    ];
    assert_eq!(words, wanted);
    assert_eq!(audit[0]["who"], "local");
    assert_eq!(audit[0]["server"], "one");
    assert_eq!(
        audit[0]["parameters"]["configuration-keys"],
        json!(["token"])
    );
}
