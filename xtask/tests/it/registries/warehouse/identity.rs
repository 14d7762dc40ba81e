//! Trusted publishing: which audience, and a token for an identity, once.

use serde_json::{Value, json};

use super::super::actions::{self, ISSUER};
use super::super::message::{Asked, Reply};
use super::{TrustedPublisher, Warehouse};

impl Warehouse {
    pub fn audience(&self) -> Reply {
        match &self.audience {
            Some(audience) => Reply::json(200, &json!({ "audience": audience })),
            None => {
                let text = "Trusted publishing functionality not enabled";
                Reply::json(403, &json!({ "message": text }))
            }
        }
    }

    pub fn mint(&mut self, asked: &Asked) -> Reply {
        match self.minted_for(asked) {
            Ok(token) => {
                let answer =
                    json!({ "success": true, "token": token, "expires": 4_102_444_800u64 });
                self.minted.insert(token);
                Reply::json(200, &answer)
            }
            Err((code, description)) => {
                let error = json!({ "code": code, "description": description });
                let answer = json!({ "message": "Token request failed", "errors": [error] });
                Reply::json(422, &answer)
            }
        }
    }

    fn minted_for(&mut self, asked: &Asked) -> Result<String, (&'static str, String)> {
        let body = asked.json();
        let Some(token) = body["token"].as_str() else {
            let text = "1 validation error for TokenPayload\ntoken\n  Field required";
            return Err(("invalid-payload", text.to_owned()));
        };
        let Some(claims) = actions::claims(token) else {
            return Err(("invalid-payload", "malformed JWT".to_owned()));
        };
        if claims["iss"] != ISSUER {
            let text = "unknown trusted publishing issuer";
            return Err(("invalid-payload", text.to_owned()));
        }
        let Some(audience) = &self.audience else {
            let text = "GitHub trusted publishing functionality not enabled";
            return Err(("not-enabled", text.to_owned()));
        };
        if !actions::is_for(&claims, audience) || claims["exp"].as_u64() < Some(1_800_000_000) {
            return Err(("invalid-token", "malformed or invalid token".to_owned()));
        }
        let number = claims["jti"].as_str().unwrap_or_default().to_owned();
        if self.spent.contains(&number) {
            let text = "invalid token: already used";
            return Err(("invalid-reuse-token", text.to_owned()));
        }
        let publisher = self.publisher.as_ref();
        if !publisher.is_some_and(|publisher| publisher.matches(&claims)) {
            let text = "valid token, but no corresponding publisher \
                        (Publisher with matching claims was not found)";
            return Err(("invalid-publisher", text.to_owned()));
        }
        self.spent.insert(number);
        Ok(format!("pypi-minted-{}", self.spent.len()))
    }
}

impl TrustedPublisher {
    /// Whether an identity is of this publisher.
    pub fn matches(&self, claims: &Value) -> bool {
        let start = format!("{}/.github/workflows/{}@", self.repository, self.workflow);
        let own = claims["job_workflow_ref"].as_str().unwrap_or_default();
        let environment = self.environment.as_ref();
        claims["repository"] == self.repository.as_str()
            && own.starts_with(&start)
            && claims["event_name"] != "pull_request_target"
            && environment.is_none_or(|name| claims["environment"] == name.as_str())
    }
}
