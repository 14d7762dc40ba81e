//! Asking the Marketplace over HTTP: what everybody sees, what only the owner sees, who has which
//! role. Sends no files.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::extension::{self, ANSWER_LIMIT, FILE_LIMIT};
use super::super::{Answered, Attempt, Statement, Trouble, identity, said};
use super::query::{self, Found};
use super::vsce::TOKEN;
use crate::config::publish::MarketplaceCredential;
use crate::error::{Kind, Result};
use crate::product::vsix::identity::Identity;
use crate::world::World;
use crate::world::remote::{self, Answer, Method, Patience, Remote};
use crate::world::secret::Secret;

/// The audience of a job's identity, fixed by the Marketplace.
pub const AUDIENCE: &str = "marketplace.visualstudio.com";

/// What a request is: method, path and the version of the interface.
type Call<'call> = (Method, &'call str, &'call str);

/// The Marketplace at an address.
pub struct Gallery<'run> {
    world: &'run World,
    url: &'run str,
    credential: MarketplaceCredential,
    /// What the identity of this job was exchanged for, by publisher.
    exchanged: Mutex<BTreeMap<String, Secret>>,
}

impl<'run> Gallery<'run> {
    /// The Marketplace at this address; nothing is asked yet.
    pub fn new(world: &'run World, url: &'run str, credential: MarketplaceCredential) -> Self {
        Gallery {
            world,
            url,
            credential,
            exchanged: Mutex::default(),
        }
    }

    /// The user's token, when tokens are what is used.
    pub fn token(&self) -> Option<Secret> {
        let token = self.world.variable(TOKEN).filter(|token| !token.is_empty());
        match self.credential {
            MarketplaceCredential::Pat => token.map(Secret::new),
            MarketplaceCredential::Oidc | MarketplaceCredential::Azure => None,
        }
    }

    fn ask(
        &self,
        (method, path, version): Call<'_>,
        authorization: Option<&Secret>,
        body: Option<&[u8]>,
    ) -> Attempt<Answer> {
        let remote = Remote::new(self.world, self.url, "url", Patience::default())?;
        let accept = format!("application/json;api-version={version}");
        let mut headers = vec![
            ("accept", accept.as_str()),
            ("cache-control", "no-cache"),
            ("content-type", "application/json"),
        ];
        headers.extend(authorization.map(|secret| ("authorization", secret.reveal())));
        let answer = remote
            .send(method, path, &headers, body, ANSWER_LIMIT)
            .map_err(|trouble| Trouble::of_network(&remote.shown(path), trouble))?;
        Ok(extension::answered(answer))
    }

    fn trouble(&self, path: &str, answer: &Answer, said: &str) -> Trouble {
        let shown = remote::shown(&format!("{}{path}", self.url));
        Trouble::of_answer(&shown, answer, said, self.world.now())
    }

    /// The versions of an extension, with those that are not validated where we are known as
    /// their owner. A credential that has ended does not keep anybody from looking.
    ///
    /// # Errors
    /// The Marketplace does not answer, or not as it should.
    pub fn versions(&self, of: &[&Identity]) -> Attempt<Vec<Found>> {
        let Some(first) = of.first() else {
            return Ok(Answered::plain(Vec::new()));
        };
        if let Some(token) = self.token()
            && let Some(owned) = self.owned(first, &token)?
        {
            return Ok(owned);
        }
        let public = self.public(&first.extension())?;
        let missing = |identity: &&Identity| query::find(&public.value, identity).is_none();
        // A job shows its identity only when something may be waiting.
        if self.credential == MarketplaceCredential::Oidc
            && of.iter().any(missing)
            && let Some(token) = self.remembered(&first.publisher)
            && let Some(owned) = self.owned(first, &token)?
        {
            return Ok(owned);
        }
        Ok(public)
    }

    /// What everybody sees.
    fn public(&self, extension: &str) -> Attempt<Vec<Found>> {
        let path = "/_apis/public/gallery/extensionquery";
        let question = query::question(extension);
        let call = (Method::POST, path, "3.0-preview.1");
        let answered = self.ask(call, None, Some(&question))?;
        let answer = &answered.value;
        if answer.status != 200 {
            return Err(self.trouble(path, answer, &said(&answer.bytes)));
        }
        let value = query::answer(&answer.bytes, extension)
            .map_err(|what| Trouble::last(Kind::Failure, format!("{}{path}: {what}", self.url)))?;
        Ok(with(answered, value))
    }

    /// What the owner sees; nothing for a token that is not the owner's. Azure answers those with
    /// several statuses, and with a page to log in.
    fn owned(
        &self,
        identity: &Identity,
        token: &Secret,
    ) -> std::result::Result<Option<Answered<Vec<Found>>>, Trouble> {
        let Identity {
            publisher, name, ..
        } = identity;
        let path = format!("/_apis/gallery/publishers/{publisher}/extensions/{name}");
        let asked = format!("{path}?flags={}", query::FLAGS);
        let call = (Method::GET, asked.as_str(), "7.2-preview.1");
        let answered = self.ask(call, Some(&authorization(token)), None)?;
        let answer = &answered.value;
        if remote::is_busy(answer.status) {
            return Err(self.trouble(&path, answer, ""));
        }
        let value = match answer.status {
            200 => query::owned(&answer.bytes, &identity.extension()),
            404 => Some(Vec::new()),
            _ => None,
        };
        Ok(value.map(|value| with(answered, value)))
    }

    /// The package as everybody gets it.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn download(&self, identity: &Identity) -> Attempt<Vec<u8>> {
        let query = match &identity.platform {
            Some(platform) => format!("?targetPlatform={platform}"),
            None => String::new(),
        };
        let address = format!(
            "{}/_apis/public/gallery/publishers/{}/vsextensions/{}/{}/vspackage{query}",
            self.url, identity.publisher, identity.name, identity.version
        );
        extension::bytes(self.world, &address, FILE_LIMIT)
    }

    /// What this job's identity was exchanged for. That it cannot be is said when something is
    /// sent; looking goes on without.
    fn remembered(&self, publisher: &str) -> Option<Secret> {
        let exchanged = || {
            self.exchanged
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(token) = exchanged().get(publisher) {
            return Some(token.clone());
        }
        let job = identity::token(self.world, AUDIENCE).ok()?.value;
        let token = self.exchange(publisher, &job).ok()?;
        exchanged().insert(publisher.to_owned(), token.clone());
        Some(token)
    }

    /// Exchanges the identity of a job for a credential of a publisher, as `vsce --oidc` does.
    ///
    /// # Errors
    /// It is refused.
    pub fn exchange(&self, publisher: &str, job: &Secret) -> std::result::Result<Secret, Trouble> {
        let path = "/_apis/gallery/token";
        let asked = format!("{path}?api-version=7.2-preview.1");
        let authorization = Secret::new(format!("FederatedToken {}", job.reveal()));
        let body = json!({ "publisherName": publisher }).to_string();
        let call = (Method::POST, asked.as_str(), "7.2-preview.1");
        let answer = self
            .ask(call, Some(&authorization), Some(body.as_bytes()))?
            .value;
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        match (answer.status, value["credential"].as_str()) {
            (200 | 201, Some(token)) => Ok(Secret::new(token)),
            _ => Err(self.trouble(path, &answer, &job.blot(&said(&answer.bytes)))),
        }
    }

    /// Who has which role for a publisher: any role gets an answer, only some may publish.
    ///
    /// # Errors
    /// The Marketplace does not answer.
    pub fn roles(&self, publisher: &str, token: &Secret) -> Result<Statement> {
        const REMEDY: &str = "ask an owner of the publisher for the role Contributor";
        let path = format!(
            "/_apis/securityroles/scopes/gallery.publisher/roleassignments/resources/{publisher}"
        );
        let call = (Method::GET, path.as_str(), "3.2-preview.1");
        let answer = self
            .ask(call, Some(&authorization(token)), None)
            .map_err(|trouble| trouble.into_error(1))?
            .value;
        if answer.status != 200 {
            let said = token.blot(&said(&answer.bytes));
            let found = format!("{TOKEN} for {publisher}: answers {} {said}", answer.status);
            return Ok(Statement::bad("role", found.trim_end(), REMEDY));
        }
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let assignments = value["value"].as_array().map(Vec::as_slice);
        let assignments = assignments.unwrap_or_default().iter();
        let roles: Vec<(&str, &str)> = assignments
            .filter_map(|one| {
                let who = one["identity"]["displayName"].as_str();
                Some((who.unwrap_or("somebody"), one["role"]["name"].as_str()?))
            })
            .collect();
        let listed: Vec<String> = roles
            .iter()
            .map(|(who, role)| format!("{who}: {role}"))
            .collect();
        let found = format!("the roles for {publisher}: {}", listed.join(", "));
        Ok(match roles.iter().any(|(_, role)| *role != "Reader") {
            true => Statement::good("role", found),
            false => Statement::bad("role", found, REMEDY),
        })
    }
}

/// Another value with what the ledger notes about an answer.
fn with<T>(answered: Answered<Answer>, value: T) -> Answered<T> {
    Answered {
        value,
        status: answered.status,
        request: answered.request,
    }
}

/// The header of a token, which repeats it in another form: as secret as the token itself.
pub fn authorization(token: &Secret) -> Secret {
    let text = format!("OAuth:{}", token.reveal());
    Secret::new(format!("Basic {}", STANDARD.encode(text)))
}
