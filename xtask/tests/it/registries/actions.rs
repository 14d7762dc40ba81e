//! The identities that GitHub Actions gives its jobs: the endpoint that a job asks for one, and the
//! claims in it. Nothing is signed, and no clock is looked at; a test says when one has expired.
//!
//! Source: GitHub's page "OpenID Connect reference". The claims are the ones that registries match.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::message::{Asked, Reply};

/// Who the identities are from.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The endpoint of one job, at `/actions/token`.
#[derive(Debug, Clone)]
pub struct Actions {
    /// What the job must show: `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub request_token: String,
    /// What each identity says, besides audience and number.
    pub claims: Value,
    /// How many were given.
    pub issued: usize,
}

impl Actions {
    /// A job of a workflow of `owner/name`, in an environment.
    pub fn of(repository: &str, workflow: &str, environment: &str) -> Actions {
        let owner = repository.split('/').next().unwrap_or_default();
        let reference = "refs/heads/main";
        let workflow = format!("{repository}/.github/workflows/{workflow}@{reference}");
        let claims = json!({
            "iss": ISSUER,
            "sub": format!("repo:{repository}:environment:{environment}"),
            "repository": repository,
            "repository_id": "1",
            "repository_owner": owner,
            "repository_owner_id": "2",
            "repository_visibility": "public",
            "workflow_ref": workflow,
            "job_workflow_ref": workflow,
            "ref": reference,
            "ref_type": "branch",
            "event_name": "workflow_dispatch",
            "environment": environment,
            "runner_environment": "github-hosted",
            "iat": 1_700_000_000,
            "nbf": 1_700_000_000,
            "exp": 4_102_444_800u64,
        });
        Actions {
            request_token: "runner-request-token".to_owned(),
            claims,
            issued: 0,
        }
    }

    /// The variables that a job has, for an endpoint behind this address.
    pub fn environment(&self, base: &str) -> [(String, String); 3] {
        let address = format!("{base}/actions/token?api-version=2.0");
        [
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", address.as_str()),
            (
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                self.request_token.as_str(),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    }

    /// A new identity for an audience, as the endpoint gives it.
    pub fn identity(&mut self, audience: &str) -> String {
        self.issued += 1;
        let mut claims = self.claims.clone();
        claims["aud"] = json!(audience);
        claims["jti"] = json!(format!("identity-{}", self.issued));
        unsigned(&claims)
    }

    /// Answers a request for an identity; nothing for any other.
    pub fn answer(&mut self, asked: &Asked) -> Option<Reply> {
        if asked.method != "GET" || asked.path() != "/actions/token" {
            return None;
        }
        if asked.credential("bearer") != Some(self.request_token.as_str()) {
            return Some(Reply::json(401, &json!({ "message": "Unauthorized" })));
        }
        let audience = asked.query("audience");
        let default = format!("https://github.com/{}", self.claims["repository_owner"]);
        let identity = self.identity(audience.as_deref().unwrap_or(&default));
        let count = identity.len();
        let answer = json!({ "count": count, "value": identity });
        Some(Reply::json(200, &answer))
    }
}

/// Claims as a token in the form of a signed one.
pub fn unsigned(claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "stand-in" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode("no signature");
    format!("{}.{}.{signature}", part(&header), part(claims))
}

/// What is claimed; nothing for what is no token.
pub fn claims(token: &str) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts[..] else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

/// Whether a token is of this audience, which is one text or several.
pub fn is_for(claims: &Value, audience: &str) -> bool {
    match &claims["aud"] {
        Value::Array(several) => several.iter().any(|one| one == audience),
        one => one == audience,
    }
}
