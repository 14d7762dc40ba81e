//! The identity of a GitHub Actions job: a short-lived token, made for one audience, that a
//! registry exchanges for a credential of its own (OpenID Connect, "trusted publishing").
//!
//! Its claims are decoded for people to look at. Nothing is decided by them, so the signature is
//! not checked: that is for the registry.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Answered, Attempt, Trouble, said, trouble};
use crate::error::Kind;
use crate::world::World;
use crate::world::remote::{self, Method, Patience, Remote};
use crate::world::secret::Secret;

/// Where a job asks for its token, and with what; both are there only with `id-token: write`.
const ADDRESS: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const PASSWORD: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The largest answer.
const LIMIT: u64 = 1 << 20;

/// The claims by which registries know a job, in the order in which they are shown.
const SHOWN: [&str; 10] = [
    "iss",
    "aud",
    "sub",
    "repository",
    "repository_owner",
    "repository_owner_id",
    "job_workflow_ref",
    "ref",
    "environment",
    "exp",
];

/// Whether this is a job that may ask for a token.
pub fn is_available(world: &World) -> bool {
    [ADDRESS, PASSWORD]
        .iter()
        .all(|name| world.variable(name).is_some_and(|value| !value.is_empty()))
}

/// How to make it available, for hints.
pub const HOW: &str = "in GitHub Actions: give the job `permissions: id-token: write`; \
                       a pull request from a fork never has it";

/// Asks once for a token that is good for one audience. Its id is used up by the first exchange,
/// so every attempt needs a new one.
///
/// # Errors
/// This is no job that may ask, or GitHub gives none.
pub fn token(world: &World, audience: &str) -> Attempt<Secret> {
    let missing = || {
        let what = format!("{ADDRESS} and {PASSWORD} are not set: no identity to show");
        Trouble::last(Kind::Precondition, what).hint(HOW)
    };
    let address = world.variable(ADDRESS).ok_or_else(missing)?;
    let password = world.variable(PASSWORD).map(Secret::new);
    let password = password.ok_or_else(missing)?;
    let (base, path) = remote::split(address).ok_or_else(|| {
        let what = format!("{ADDRESS}: {}: no address", remote::shown(address));
        Trouble::last(Kind::Precondition, what)
    })?;
    let remote = Remote::new(world, base, ADDRESS, Patience::default())?;
    let path = with_audience(path, audience);
    let shown = remote.shown(&path);
    let authorization = format!("bearer {}", password.reveal());
    let headers = [
        ("authorization", authorization.as_str()),
        ("accept", "application/json"),
    ];
    let answer = remote
        .send(Method::GET, &path, &headers, None, LIMIT)
        .map_err(|trouble| Trouble::of_network(&shown, trouble))?;
    if answer.status != 200 {
        let said = password.blot(&said(&answer.bytes));
        let trouble = Trouble::of_answer(&shown, &answer, &said, world.now());
        return Err(match answer.status {
            401 | 403 => trouble.hint(HOW),
            _ => trouble,
        });
    }
    let body: Option<Value> = serde_json::from_slice(&answer.bytes).ok();
    let value = body.as_ref().and_then(|body| body["value"].as_str());
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| Trouble::last(Kind::Failure, format!("{shown}: the answer has no token")))?;
    Ok(Answered {
        value: Secret::new(value),
        status: Some(answer.status),
        request: trouble::request_id(&answer),
    })
}

/// A path that has a query already, or none, with the audience that is asked for.
fn with_audience(path: &str, audience: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    let encoded: String = url::form_urlencoded::byte_serialize(audience.as_bytes()).collect();
    format!("{path}{mark}audience={encoded}")
}

/// What a token says about the job, unchecked, for display only; `null` for a text that is no
/// token.
pub fn claims(token: &Secret) -> Value {
    let mut parts = token.reveal().split('.');
    let payload = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(payload), Some(_), None) => payload,
        _ => return Value::Null,
    };
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok();
    let value = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value.filter(Value::is_object).unwrap_or_default()
}

/// Those of the claims by which registries know a job.
pub fn telling(claims: &Value) -> Value {
    let told = SHOWN.iter().filter_map(|name| {
        let value = claims.get(*name)?;
        Some(((*name).to_owned(), value.clone()))
    });
    Value::Object(told.collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn token_of(payload: &str) -> Secret {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        Secret::new(format!("{}.{}.{}", part("{}"), part(payload), part("x")))
    }

    #[test]
    fn the_audience_is_added_to_any_address() {
        let check = |path, expected| {
            assert_eq!(with_audience(path, "https://a.org"), expected);
        };
        check("/token", "/token?audience=https%3A%2F%2Fa.org");
        check(
            "/token?api-version=2.0",
            "/token?api-version=2.0&audience=https%3A%2F%2Fa.org",
        );
    }

    #[test]
    fn claims_are_shown_and_never_trusted_to_be_there() {
        let token = token_of(r#"{"sub":"repo:a/b:ref:x","aud":"c","jti":"d"}"#);
        let found = claims(&token);
        assert_eq!(found["jti"], "d");
        assert_eq!(
            telling(&found),
            json!({"aud": "c", "sub": "repo:a/b:ref:x"})
        );
        for text in ["", "a.b", "a.b.c", "a.b.c.d", "é.é.é"] {
            assert_eq!(claims(&Secret::new(text)), Value::Null, "{text}");
        }
        assert_eq!(claims(&token_of("[1]")), Value::Null);
        assert_eq!(telling(&Value::Null), json!({}));
    }
}
