//! Logins: an identity of the CI or a token of GitHub for a short-lived token of the registry.

use serde_json::{Value, json};

use super::super::actions::{self, ISSUER};
use super::super::message::{Asked, Reply};
use super::{Login, Mcp, because, problem};

impl Mcp {
    pub fn login_with_identity(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let Some(identity) = body["oidc_token"].as_str() else {
            return required("body.oidc_token", &body);
        };
        match self.owner(asked, identity) {
            Ok(owner) => self.login(&[owner]),
            Err(message) => {
                let message = format!("failed to validate OIDC token: {message}");
                because(401, "Token exchange failed", &message)
            }
        }
    }

    fn owner(&self, asked: &Asked, identity: &str) -> Result<String, String> {
        let claims = actions::claims(identity);
        let claims = claims.ok_or("failed to parse token: token is malformed")?;
        if claims["iss"] != ISSUER {
            return Err(format!(
                "invalid issuer: expected {ISSUER}, got {}",
                claims["iss"]
            ));
        }
        let audience = self.audience.clone().unwrap_or_else(|| asked.base());
        if !actions::is_for(&claims, &audience) {
            let got = claims["aud"].as_str().unwrap_or_default();
            return Err(format!(
                "invalid audience: expected {audience}, got [{got}]"
            ));
        }
        let owner = claims["repository_owner"].as_str().unwrap_or_default();
        match owner.is_empty() {
            true => Err("repository owner claim is required".to_owned()),
            false => Ok(owner.to_owned()),
        }
    }

    pub fn login_with_token(&mut self, asked: &Asked) -> Reply {
        let body = asked.json();
        let Some(token) = body["github_token"].as_str() else {
            return required("body.github_token", &body);
        };
        match self.github.get(token).cloned() {
            Some(owners) => self.login(&owners),
            // What GitHub said is kept from whoever asks.
            None => problem(401, "Token exchange failed", &[]),
        }
    }

    fn login(&mut self, owners: &[String]) -> Reply {
        let patterns = owners.iter().map(|owner| format!("io.github.{owner}/*"));
        let login = Login {
            patterns: patterns.collect(),
            left: self.uses,
        };
        let number = self.logins.len() + 1;
        let claims = json!({ "iss": "mcp-registry", "jti": number, "exp": 4_102_444_800u64 });
        let token = actions::unsigned(&claims);
        self.logins.insert(token.clone(), login);
        let value = json!({ "registry_token": token, "expires_at": 4_102_444_800u64 });
        Reply::json(200, &value)
    }

    /// Whether a request may change a server of this name.
    pub fn granted(&mut self, asked: &Asked, name: &str) -> Result<(), Reply> {
        let Some(header) = asked.header("authorization") else {
            let error = json!({
                "message": "required header parameter is missing",
                "location": "header.Authorization",
                "value": "",
            });
            return Err(problem(422, "validation failed", &[error]));
        };
        let expected = "Invalid Authorization header format. Expected 'Bearer <token>'";
        let token = header.strip_prefix("Bearer ");
        let token = token.ok_or_else(|| problem(401, expected, &[]))?;
        let login = self.logins.get_mut(token).filter(|login| login.left > 0);
        let Some(login) = login else {
            let message = "failed to parse token: token has invalid claims: token is expired";
            return Err(because(
                401,
                "Invalid or expired Registry JWT token",
                message,
            ));
        };
        login.left -= 1;
        let fits = |pattern: &String| name.starts_with(pattern.trim_end_matches('*'));
        if login.patterns.iter().any(fits) {
            return Ok(());
        }
        let patterns = login.patterns.join(", ");
        let detail = format!(
            "You do not have permission to publish this server. You have permission to publish: \
             {patterns}. Attempting to publish: {name}"
        );
        Err(problem(403, &detail, &[]))
    }
}

fn required(location: &str, body: &Value) -> Reply {
    let name = location.trim_start_matches("body.");
    let error = json!({
        "message": format!("expected required property {name} to be present"),
        "location": "body",
        "value": body,
    });
    problem(422, "validation failed", &[error])
}
