//! What the API refuses, and what happens when it is not there.

use kube::Client;
use kube::config::AuthInfo;
use mcp_platform::backend::kubernetes::{Kubernetes, Options, Side};
use mcp_platform::backend::{Backend as _, LogOptions, Scope};
use mcp_platform::error::Kind;
use mcp_platform::model::{Identity, Name};
use mcp_platform::service::{Quiet, Waiting};

use super::place::{kubeconfig, within};

#[test]
fn a_missing_namespace_says_what_to_do() {
    within(|place| async move {
        let nowhere = Name::label("no-such-namespace").unwrap();
        let deploy = place.request("a", "1", 1);
        let error = place
            .service
            .deploy(&nowhere, &deploy, Waiting::Wait, &Quiet)
            .await
            .unwrap_err();
        assert_eq!(error.kind, Kind::Precondition, "{error}");
        assert!(
            error.hints.iter().any(|hint| hint.contains("setup")),
            "{error:?}"
        );
    });
}

#[test]
fn what_is_not_there_is_not_found() {
    within(|place| async move {
        let identity = place.identity("nothing");
        assert!(place.backend.observe(&identity).await.unwrap().is_none());
        let logs = place.backend.logs(&identity, &LogOptions::default()).await;
        assert_eq!(logs.err().unwrap().kind, Kind::NotFound);
        let reach = place.backend.reach(&identity, None).await;
        assert_eq!(reach.err().unwrap().kind, Kind::NotFound);
        let deploy = place.request("a", "never", 1);
        place
            .service
            .deploy(&place.namespace, &deploy, Waiting::Return, &Quiet)
            .await
            .unwrap();
        let reach = place.backend.reach(&place.identity("a"), None).await;
        assert_eq!(reach.err().unwrap().kind, Kind::Conflict);
    });
}

#[test]
fn wrong_credentials_are_told_from_a_missing_cluster() {
    let Some(file) = kubeconfig() else {
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let read = kube::config::Kubeconfig::read_from(&file).unwrap();
        let mut config =
            kube::Config::from_custom_kubeconfig(read, &kube::config::KubeConfigOptions::default())
                .await
                .unwrap();
        config.auth_info = AuthInfo {
            token: Some("hunter2hunter2".to_owned().into()),
            ..AuthInfo::default()
        };
        let wrong = Client::try_from(config.clone()).unwrap();
        let wrong = Kubernetes::new(wrong, "wrong".to_owned(), Options::usual(Side::Outside));
        let error = wrong.list(&Scope::default()).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unauthenticated, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));

        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        config.cluster_url = format!("https://127.0.0.1:{port}").parse().unwrap();
        let gone = Client::try_from(config).unwrap();
        let gone = Kubernetes::new(gone, "gone".to_owned(), Options::usual(Side::Outside));
        let identity = Identity {
            namespace: Name::label("n").unwrap(),
            name: Name::label("a").unwrap(),
        };
        let error = gone.observe(&identity).await.unwrap_err();
        assert_eq!(error.kind, Kind::Unavailable, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    });
}
