//! The token that publishes: from the environment, or from GitHub's own client.

use std::time::Duration;

use reqwest::header::HeaderValue;

use crate::error::{Error, Kind, Result};
use crate::world::World;
use crate::world::secret::Secret;

/// Where a token may be, the first one first.
const VARIABLES: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];

/// It only reads a file or asks a key ring.
const PATIENCE: Duration = Duration::from_secs(30);

/// A token, and where it is from.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub secret: Secret,
    /// Its variable or command.
    pub from: String,
}

/// Finds the token for the server at an address of GitHub's interface.
///
/// # Errors
/// What is set cannot be a token, or the run is interrupted.
pub fn find(world: &World, api: &str) -> Result<Option<Token>> {
    for name in VARIABLES {
        if let Some(text) = world.variable(name) {
            return token(text, name.to_owned()).map(Some);
        }
    }
    let arguments = ["auth", "token", "--hostname", host(api)];
    let asked = world.command("gh").args(arguments).timeout(PATIENCE);
    match asked.output() {
        Ok(output) if output.status.success() && !output.stdout.trim().is_empty() => {
            token(&output.stdout, "gh auth token".to_owned()).map(Some)
        }
        Err(error) if error.kind == Kind::Interrupted => Err(error),
        // Not installed, not logged in, or out of order: there is no token.
        Ok(_) | Err(_) => Ok(None),
    }
}

fn token(text: &str, from: String) -> Result<Token> {
    let text = text.trim();
    if text.is_empty() || text.contains(' ') || HeaderValue::from_str(text).is_err() {
        return Err(Error::precondition(format!("{from} holds no token"))
            .hint("give a token of GitHub without quotes or line breaks"));
    }
    Ok(Token {
        secret: Secret::new(text),
        from,
    })
}

/// The host that GitHub's client knows a server by.
fn host(api: &str) -> &str {
    let rest = api.split_once("://").map_or(api, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    match host {
        "api.github.com" => "github.com",
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_knows_a_server_by_its_host() {
        let check = |api, expected| assert_eq!(host(api), expected);
        check("https://api.github.com", "github.com");
        check("https://git.example.org/api/v3", "git.example.org");
        check("http://127.0.0.1:80", "127.0.0.1:80");
    }

    #[test]
    fn what_can_be_no_token_is_refused_without_being_shown() {
        let found = token(" hush\n", "V".to_owned()).unwrap();
        assert_eq!(found.secret.reveal(), "hush");
        for text in ["", " ", "a b", "a\nb", "\u{7f}x"] {
            let error = token(text, "V".to_owned()).unwrap_err();
            assert_eq!(error.kind, Kind::Precondition);
            assert_eq!(error.message, "V holds no token");
        }
    }
}
