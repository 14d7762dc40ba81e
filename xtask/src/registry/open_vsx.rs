//! An Open VSX registry. There is no library that speaks its protocol, and its own client, `ovsx`,
//! is a Node.js program that answers "already published" in words only; so this asks over HTTP.
//!
//! What is there is known by the sha256 that the registry states; what is read back is held
//! against its Ed25519 signature, too, where the registry signs. A version that was taken and is
//! still being checked is invisible to everybody: only sending it again tells, with a refusal
//! that says so. That is why `plan` calls it absent, and why such a refusal counts as taken; it
//! is then waited for, and `pending` when it does not appear.

mod answer;
mod signature;

use std::sync::OnceLock;

use serde_json::{Value, json};

use super::extension::{self, ANSWER_LIMIT, Extensions, FILE_LIMIT, Package};
use super::{
    Answered, Attempt, Item, Level, Opening, Presence, Registry, Statement, Trouble, identity,
    said, trouble,
};
use crate::artifact::Digest;
use crate::error::{Error, Kind, Result};
use crate::world::World;
use crate::world::remote::{self, Answer, Method, Patience, Remote};
use crate::world::secret::Secret;
use answer::{About, Refusal, Stated, refusal};

/// The token of a user.
const TOKEN: &str = "OVSX_PAT";

/// The opened registry.
pub struct OpenVsx<'run> {
    world: &'run World,
    url: &'run str,
    extensions: Extensions,
    about: OnceLock<About>,
}

/// How the publisher is known.
enum Credential {
    /// A user's token.
    Token(Secret),
    /// The identity of a job.
    Job,
}

impl<'run> OpenVsx<'run> {
    /// Opens the registry of a target.
    ///
    /// # Errors
    /// The release has no extension package, or one that cannot be read.
    pub fn open(opening: Opening<'run>, url: &'run str) -> Result<Self> {
        Ok(OpenVsx {
            world: opening.world,
            url,
            extensions: Extensions::of(&opening)?,
            about: OnceLock::new(),
        })
    }

    fn remote(&self) -> Result<Remote<'run>> {
        // The registry unpacks and checks a file before it answers.
        let patience = Patience {
            silence: std::time::Duration::from_secs(90),
            ..Patience::default()
        };
        Remote::new(self.world, self.url, "url", patience)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Attempt<Answer> {
        let remote = self.remote()?;
        let mut all = vec![
            ("accept", "application/json"),
            ("cache-control", "no-cache"),
        ];
        all.extend(headers);
        let answer = remote
            .send(method, path, &all, body, ANSWER_LIMIT)
            .map_err(|trouble| Trouble::of_network(&remote.shown(path), trouble))?;
        Ok(extension::answered(answer))
    }

    /// What the registry says of itself, asked once: it decides where a token is put.
    fn about(&self) -> std::result::Result<&About, Trouble> {
        if let Some(about) = self.about.get() {
            return Ok(about);
        }
        let path = "/api/version";
        let answer = self.ask(Method::GET, path, &[], None)?.value;
        // Whoever is only busy is not taken for an old one, which would put a token into an
        // address.
        if remote::is_busy(answer.status) {
            return Err(self.trouble(path, &answer, ""));
        }
        let body: &[u8] = match answer.status {
            200 => &answer.bytes,
            _ => b"",
        };
        Ok(self.about.get_or_init(|| answer::about(body)))
    }

    /// What an answer means that is no success. The registry says in a header of its own when it
    /// wants to be asked again.
    fn trouble(&self, path: &str, answer: &Answer, said: &str) -> Trouble {
        let shown = remote::shown(&format!("{}{path}", self.url));
        let header = |name: &str| answer.headers.get(name);
        let after = header("retry-after").or_else(|| header("x-rate-limit-retry-after-seconds"));
        let after = after.and_then(|text| remote::after(&text, self.world.now()));
        let mut trouble = Trouble::of_status(&shown, answer.status, said, after);
        trouble.request = trouble::request_id(answer);
        trouble
    }

    /// What the registry states of a package's version.
    fn stated(&self, package: &Package) -> Attempt<Option<Stated>> {
        let identity = &package.identity;
        let path = format!(
            "/api/{}/{}/{}/{}",
            identity.publisher,
            identity.name,
            identity.target(),
            identity.version
        );
        let answered = self.ask(Method::GET, &path, &[], None)?;
        let answer = &answered.value;
        let value = match answer.status {
            200 => answer::stated(&answer.bytes, identity).map_err(|what| {
                let shown = remote::shown(&format!("{}{path}", self.url));
                Trouble::last(Kind::Failure, format!("{shown}: {what}"))
            })?,
            404 => None,
            _ => return Err(self.trouble(&path, answer, &said(&answer.bytes))),
        };
        Ok(Answered {
            value,
            status: answered.status,
            request: answered.request,
        })
    }

    /// The digest of what is there, and how it is known.
    fn digest(&self, stated: &Stated) -> std::result::Result<(Digest, Level), Trouble> {
        let text = match &stated.sha256 {
            Some(address) if address.contains("://") => {
                let body = extension::bytes(self.world, address, ANSWER_LIMIT)?.value;
                String::from_utf8_lossy(&body).into_owned()
            }
            Some(digits) => digits.clone(),
            // A registry from before it stated digests has to give the bytes.
            None => return Ok((Digest::of(&self.download(stated)?.value), Level::Bytes)),
        };
        let digits = text.split_whitespace().next().unwrap_or_default();
        let digest = Digest::parse(digits).map_err(|_| {
            let shown = remote::shown(stated.sha256.as_deref().unwrap_or_default());
            Trouble::last(Kind::Failure, format!("{shown}: states no sha256"))
        })?;
        Ok((digest, Level::Digest))
    }

    fn download(&self, stated: &Stated) -> Attempt<Vec<u8>> {
        let address = stated
            .download
            .as_deref()
            .ok_or_else(|| Trouble::last(Kind::Failure, format!("{}: states no file", self.url)))?;
        extension::bytes(self.world, address, FILE_LIMIT)
    }

    /// Holds bytes against the signature that the registry has made, where it has made one.
    fn check_signature(
        &self,
        package: &Package,
        stated: &Stated,
        bytes: &[u8],
    ) -> std::result::Result<(), Trouble> {
        let (Some(signature), Some(key)) = (&stated.signature, &stated.key) else {
            return Ok(());
        };
        let archive = extension::bytes(self.world, signature, ANSWER_LIMIT)?.value;
        let key = extension::bytes(self.world, key, ANSWER_LIMIT)?.value;
        signature::verify(bytes, &archive, &key).map_err(|what| {
            let shown = remote::shown(signature);
            let what = format!("{}: the signature {shown} fails: {what}", package.identity);
            Trouble::last(Kind::Conflict, what)
                .hint("the file or its signature was changed behind the registry: ask who runs it")
        })
    }

    fn credential(&self) -> Result<Credential> {
        let token = self.world.variable(TOKEN).filter(|token| !token.is_empty());
        if let Some(token) = token {
            return Ok(Credential::Token(Secret::new(token)));
        }
        match identity::is_available(self.world) {
            true => Ok(Credential::Job),
            false => Err(
                Error::precondition(format!("no credential for {}", self.url))
                    .hint(format!(
                        "a token: set {TOKEN} in the environment; make one at {}/user-settings/tokens",
                        self.url
                    ))
                    .hint(format!("or trusted publishing: {}", identity::HOW)),
            ),
        }
    }

    /// The token to publish a package with; a job's is made anew for every attempt.
    fn token(&self, package: &Package) -> std::result::Result<Secret, Trouble> {
        match self.credential()? {
            Credential::Token(token) => Ok(token),
            Credential::Job => self.exchange(
                &package.identity.publisher,
                &package.identity.name,
                &self.job()?,
            ),
        }
    }

    /// The audience that the registry wants to be named in a job's identity.
    fn audience(&self) -> std::result::Result<&str, Trouble> {
        Ok(self.about()?.audience.as_deref().unwrap_or(self.url))
    }

    fn job(&self) -> std::result::Result<Secret, Trouble> {
        Ok(identity::token(self.world, self.audience()?)?.value)
    }

    /// Exchanges the identity of a job for a token that is good for a few minutes.
    fn exchange(
        &self,
        namespace: &str,
        extension: &str,
        job: &Secret,
    ) -> std::result::Result<Secret, Trouble> {
        let path = "/api/-/trusted-publishing/token";
        let token = job.reveal();
        let body = json!({ "namespace": namespace, "extension": extension, "token": token });
        let headers = [("content-type", "application/json")];
        let body = body.to_string();
        let answer = self.ask(Method::POST, path, &headers, Some(body.as_bytes()))?;
        let answer = answer.value;
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        if let (200 | 201, Some(token)) = (answer.status, value["value"].as_str()) {
            return Ok(Secret::new(token));
        }
        let said = job.blot(&said(&answer.bytes));
        let mut trouble = self.trouble(path, &answer, &said);
        if !remote::is_busy(answer.status) {
            trouble.fate = super::Fate::Last(Kind::Precondition);
            let claims = identity::telling(&identity::claims(job));
            trouble.hints = vec![
                format!(
                    "register a trusted publisher for it: {}",
                    self.registration()
                ),
                format!("the claims, which it must name: {claims}"),
            ];
        }
        Err(trouble)
    }

    fn registration(&self) -> String {
        format!("{}/user-settings/trusted-publishers", self.url)
    }

    /// Where a token is put: into a header, or, for registries that look nowhere else, into the
    /// address, of which the query is never shown.
    fn with_token(
        &self,
        path: &str,
        token: &Secret,
    ) -> std::result::Result<(String, Option<String>), Trouble> {
        Ok(match self.about()?.header {
            true => (path.to_owned(), Some(format!("Bearer {}", token.reveal()))),
            false => (format!("{path}?token={}", encoded(token)), None),
        })
    }

    /// What the answer to a file means.
    fn judge(&self, package: &Package, token: &Secret, answered: Answered<Answer>) -> Attempt<()> {
        let answer = &answered.value;
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let done = Answered {
            value: (),
            status: answered.status,
            request: answered.request,
        };
        // A page of a proxy is no answer of the registry.
        let taken = value["version"].is_string() || value["success"].is_string();
        if matches!(answer.status, 200..=299) && value["error"].is_null() && taken {
            return Ok(done);
        }
        let said = token.blot(&said(&answer.bytes));
        let said = said.replace(&encoded(token), "***");
        let mut trouble = self.trouble("/api/-/publish", answer, &said);
        if remote::is_busy(answer.status) {
            return Err(trouble);
        }
        let namespace = &package.identity.publisher;
        match refusal(answer.status, &said, namespace, self.url) {
            Refusal::Exists => Ok(done),
            Refusal::Last(kind, hint) => {
                trouble.fate = super::Fate::Last(kind);
                trouble.hints = hint.into_iter().collect();
                if answer.status == 413 {
                    let size = package.bytes.len();
                    trouble.hints.push(match self.about()?.largest {
                        Some(largest) => format!("{size} bytes; {largest} are taken"),
                        None => format!("{size} bytes are too many; leave files out"),
                    });
                }
                Err(trouble)
            }
        }
    }

    fn token_statements(&self, token: &Secret) -> Result<Vec<Statement>> {
        let once = |trouble: Trouble| trouble.into_error(1);
        let mut statements = Vec::new();
        for namespace in self.extensions.publishers() {
            let path = format!("/api/{namespace}/verify-pat");
            let (with, header) = self.with_token(&path, token).map_err(once)?;
            let headers: Vec<_> = header
                .iter()
                .map(|it| ("authorization", it.as_str()))
                .collect();
            let answer = self.ask(Method::GET, &with, &headers, None).map_err(once)?;
            let answer = answer.value;
            if remote::is_busy(answer.status) {
                return Err(once(self.trouble(&path, &answer, "")));
            }
            let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
            if answer.status == 200 && value["error"].is_null() {
                let found = format!("{TOKEN} may publish as {namespace} at {}", self.url);
                statements.push(Statement::good("role", found));
                continue;
            }
            let said = token
                .blot(&said(&answer.bytes))
                .replace(&encoded(token), "***");
            let hint = match (
                answer.status,
                refusal(answer.status, &said, namespace, self.url),
            ) {
                (404, _) => {
                    format!("create the namespace once: npx ovsx create-namespace {namespace}")
                }
                (_, Refusal::Last(_, Some(hint))) => hint,
                _ => format!("make a new one: {}/user-settings/tokens", self.url),
            };
            let found = format!("{TOKEN} may not publish as {namespace}: {said}");
            statements.push(Statement::bad("role", found, hint));
        }
        Ok(statements)
    }

    fn job_statements(&self) -> Result<Vec<Statement>> {
        let once = |trouble: Trouble| trouble.into_error(1);
        let job = self.job().map_err(once)?;
        let audience = self.audience().map_err(once)?;
        let claims = identity::telling(&identity::claims(&job));
        let mut statements = vec![
            Statement::good("identity", format!("a GitHub Actions job, for {audience}")),
            Statement::good(
                "claims",
                format!("{claims}; {} must name the same", self.registration()),
            ),
        ];
        for (namespace, extension) in &self.extensions.names {
            // An identity is good for one exchange.
            let job = self.job().map_err(once)?;
            // The token that comes of it ends by itself, and nothing is published with it.
            statements.push(match self.exchange(namespace, extension, &job) {
                Ok(_) => {
                    let found = format!("a trusted publisher of {namespace}.{extension}");
                    Statement::good("role", found)
                }
                Err(trouble) => {
                    let remedy = format!("register it: {}", self.registration());
                    Statement::bad("role", trouble.what, remedy)
                }
            });
        }
        Ok(statements)
    }
}

/// A token as it stands in an address.
fn encoded(token: &Secret) -> String {
    url::form_urlencoded::byte_serialize(token.reveal().as_bytes()).collect()
}

impl Registry for OpenVsx<'_> {
    fn is_matrix(&self) -> bool {
        true
    }

    fn takes(&self) -> &[Item] {
        &self.extensions.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let mut all = Answered::plain(Vec::new());
        for item in items {
            let package = self.extensions.package(item)?;
            let answered = self.stated(package)?;
            (all.status, all.request) = (answered.status, answered.request);
            let presence = match &answered.value {
                None => Presence::Absent,
                Some(stated) => match self.digest(stated)? {
                    (digest, level) if digest == item.sha256 => Presence::Same { level },
                    (digest, _) => Presence::Differs {
                        remote: digest.to_string(),
                    },
                },
            };
            all.value.push(presence);
        }
        Ok(all)
    }

    fn ready(&self) -> Result<()> {
        self.credential().map(drop)
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        let package = self.extensions.package(item)?;
        let token = self.token(package)?;
        let (path, header) = self.with_token("/api/-/publish", &token)?;
        let mut headers = vec![("content-type", "application/octet-stream")];
        headers.extend(header.iter().map(|it| ("authorization", it.as_str())));
        let answered = self.ask(Method::POST, &path, &headers, Some(&package.bytes))?;
        self.judge(package, &token, answered)
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let package = self.extensions.package(item)?;
        let Some(stated) = self.stated(package)?.value else {
            return Err(Trouble::not_yet(format!("{}: is not visible", item.key)));
        };
        let answered = self.download(&stated)?;
        self.check_signature(package, &stated, &answered.value)?;
        Ok(Answered {
            value: Some(answered.value),
            status: answered.status,
            request: answered.request,
        })
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        match self.credential()? {
            Credential::Token(token) => self.token_statements(&token),
            Credential::Job => self.job_statements(),
        }
    }
}
