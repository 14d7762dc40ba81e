//! A registry that wants to know who asks: credentials in Docker's file, or of its helpers.

use std::os::unix::fs::OpenOptionsExt as _;

use bollard::auth::DockerCredentials;
use bollard::query_parameters::{PushImageOptionsBuilder, RemoveImageOptionsBuilder};
use futures::TryStreamExt as _;
use mcp_platform::error::Error;
use mcp_platform::model::{ImageReference, State};
use serde_json::{Value, json};

use super::images::{Registry, deployed, labelled, searching};
use super::{Room, room};
use crate::engine::say;

const USER: &str = "reader";
const PASSWORD: &str = "open-sesame-7";
/// What the registry knows of the password (bcrypt).
const KNOWN: &str = "$2b$04$1/i34ecr/LMoD/BSB.9Q2OWmqo2YFyO3OdLtZrfZo6oBMB8NiG.b6";

struct Guarded {
    room: Room,
    registry: Registry,
    image: String,
}

/// A registry with the echo image in it, and not in the engine.
async fn guarded(namespace: &str) -> Option<Guarded> {
    let room = room(namespace).await?;
    let file = room.folder.path().join("htpasswd");
    std::fs::write(&file, format!("{USER}:{KNOWN}\n")).unwrap();
    let auth = format!(
        "auth: {{htpasswd: {{realm: test, path: \"{}\"}}}}\n",
        file.display()
    );
    let Some(registry) = Registry::start_with(room.folder.path(), &auth).await else {
        say("switched off: a registry with passwords; apt-get install docker-registry");
        return None;
    };
    let image = format!("{}/team/echo:1", registry.address);
    labelled(&room, &image).await;
    let credentials = DockerCredentials {
        username: Some(USER.to_owned()),
        password: Some(PASSWORD.to_owned()),
        ..DockerCredentials::default()
    };
    let options = PushImageOptionsBuilder::new().tag("1").build();
    room.engine
        .client()
        .push_image(&image[..image.len() - 2], Some(options), Some(credentials))
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let guarded = Guarded {
        room,
        registry,
        image,
    };
    guarded.forget(&guarded.image).await;
    Some(guarded)
}

impl Guarded {
    /// Takes the image out of the engine.
    async fn forget(&self, image: &str) {
        let options = RemoveImageOptionsBuilder::new().force(true).build();
        let client = self.room.engine.client();
        client
            .remove_image(image, Some(options), None)
            .await
            .unwrap();
    }

    fn configure(&self, config: &Value) {
        let path = self.room.folder.path().join("config.json");
        std::fs::write(path, config.to_string()).unwrap();
    }

    fn auths(&self, password: &str) -> Value {
        use base64::Engine as _;
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{USER}:{password}"));
        json!({ "auths": { (self.registry.address.clone()): { "auth": auth } } })
    }

    /// A helper that answers so, when it is asked as it should be.
    fn helper(&self, name: &str, answer: &str) {
        let path = self
            .room
            .folder
            .path()
            .join(format!("docker-credential-{name}"));
        let mut options = std::fs::OpenOptions::new();
        let options = options.create(true).truncate(true).write(true).mode(0o700);
        let script = format!(
            "#!/bin/sh\nread -r it || true\n[ \"$1 $it\" = \"get {}\" ] || exit 9\n{answer}\n",
            self.registry.address
        );
        let mut file = options.open(path).unwrap();
        std::io::Write::write_all(&mut file, script.as_bytes()).unwrap();
    }

    async fn deploy(&self) -> Result<(), Error> {
        let mut request = self.room.request("echo", "echo", &json!({}));
        request.request.image = Some(ImageReference::parse(&self.image).unwrap());
        self.room.deploy(&request).await.map(drop)
    }

    async fn runs(&self) {
        self.deploy().await.unwrap();
        assert_eq!(self.room.state("echo").await, State::Running);
        self.room.delete("echo").await;
        self.forget(&self.image).await;
    }

    async fn is_refused(&self, says: &str) {
        let error = self.deploy().await.unwrap_err();
        assert!(error.message.contains(says), "{says}: {error}");
        let shown = format!("{error:?}");
        for secret in [PASSWORD, "wrong-sesame-8"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(self.room.objects("echo").await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn wrong_credentials_are_said_and_leave_nothing() {
    let Some(guarded) = guarded("who-asks").await else {
        return;
    };
    let none = "image pull failed: unauthorized: ";
    guarded.is_refused(none).await;
    guarded.is_refused("leads to none (image-pull)").await;
    guarded.configure(&guarded.auths("wrong-sesame-8"));
    guarded.is_refused(none).await;
    guarded.is_refused("does not take the credentials").await;
    guarded.configure(&guarded.auths(PASSWORD));
    guarded.runs().await;
}

#[tokio::test]
async fn helpers_are_asked_for_them() {
    let Some(mut guarded) = guarded("helpers").await else {
        return;
    };
    let registry = guarded.registry.address.clone();
    let right = format!(
        "echo '{{\"ServerURL\":\"{registry}\",\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'"
    );
    guarded.configure(&json!({ "credsStore": "keeps-all" }));
    guarded.helper("keeps-all", &right);
    guarded.runs().await;

    guarded.configure(&json!({ "credHelpers": { (registry.clone()): "keeps-one" } }));
    guarded
        .is_refused("names docker-credential-keeps-one, and there is no such program")
        .await;
    guarded.helper("keeps-one", &format!("echo {PASSWORD}; exit 4"));
    guarded.is_refused("it ended with exit status: 4").await;
    guarded.helper(
        "keeps-one",
        "echo 'credentials not found in native keychain'; exit 1",
    );
    guarded.is_refused("leads to none").await;
    guarded.helper("keeps-one", &right.replace(PASSWORD, "wrong-sesame-8"));
    guarded.is_refused("does not take the credentials").await;
    guarded.helper("keeps-one", &right);
    guarded.runs().await;

    // The look for the published digest asks with them as well.
    searching(&mut guarded.room, Some(&format!("{registry}/team")));
    let lines = "reference = \"echo:1\"";
    let (said, spec) = deployed(&mut guarded.room, "published", lines).await;
    assert!(said.contains("takes the published image"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    let image = spec.run.image.unwrap().to_string();
    guarded.room.delete("published").await;
    guarded.forget(&image).await;
}
