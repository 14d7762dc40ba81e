//! The Visual Studio Marketplace. Files are sent by the extension's own pinned `vsce`, which knows
//! the ways to be known to it; what is there is asked as editors ask.
//!
//! Taken is not published: the Marketplace validates every version afterwards, and only then can
//! everybody get it. It may write the container anew, so a file that is not the same byte for
//! byte is compared by what it carries, and which of the two held is said. Each platform is a
//! file of its own: half a matrix is finished by running again.
//!
//! Versions that are not validated are shown to their owner only, and only for a token: with
//! another credential they are absent, and what was just sent is waited for.

mod query;
mod vsce;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::extension::{self, ANSWER_LIMIT, Extensions, FILE_LIMIT, Package};
use super::{
    Answered, Attempt, Item, Level, Opening, Presence, Registry, Statement, Trouble, identity, said,
};
use crate::artifact::Digest;
use crate::config::publish::MarketplaceCredential;
use crate::config::{Config, Extension};
use crate::error::{Error, Kind, Result};
use crate::product::vsix::payload;
use crate::world::remote::{Answer, Method, Patience, Remote};
use crate::world::secret::Secret;
use crate::world::{World, files, utf8};
use query::Found;
use vsce::{TOKEN, Vsce};

/// The audience of a job's identity, fixed by the Marketplace.
const AUDIENCE: &str = "marketplace.visualstudio.com";

/// Said wherever a personal access token is in question.
const GLOBAL_TOKENS: &str = "personal access tokens for all organisations stop on 2026-12-01: \
                             set credential = \"oidc\" or \"azure\" in release.toml";

/// The opened Marketplace.
pub struct Marketplace<'run> {
    world: &'run World,
    config: &'run Config,
    url: &'run str,
    credential: MarketplaceCredential,
    extensions: Extensions,
}

impl<'run> Marketplace<'run> {
    /// Opens the Marketplace of a target.
    ///
    /// # Errors
    /// The release has no extension package, or one that cannot be read.
    pub fn open(
        opening: Opening<'run>,
        url: &'run str,
        credential: MarketplaceCredential,
    ) -> Result<Self> {
        Ok(Marketplace {
            world: opening.world,
            config: opening.config,
            url,
            credential,
            extensions: Extensions::of(&opening)?,
        })
    }

    /// The user's token, when tokens are what is used.
    fn token(&self) -> Option<Secret> {
        let token = self.world.variable(TOKEN).filter(|token| !token.is_empty());
        match self.credential {
            MarketplaceCredential::Pat => token.map(Secret::new),
            MarketplaceCredential::Oidc | MarketplaceCredential::Azure => None,
        }
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        version: &str,
        body: Option<&[u8]>,
    ) -> Attempt<Answer> {
        let remote = Remote::new(self.world, self.url, "url", Patience::default())?;
        let accept = format!("application/json;api-version={version}");
        let token = token.map(|token| authorization(token.reveal()));
        let mut headers = vec![
            ("accept", accept.as_str()),
            ("cache-control", "no-cache"),
            ("content-type", "application/json"),
        ];
        headers.extend(token.iter().map(|token| ("authorization", token.reveal())));
        let answer = remote
            .send(method, path, &headers, body, ANSWER_LIMIT)
            .map_err(|trouble| Trouble::of_network(&remote.shown(path), trouble))?;
        Ok(extension::answered(answer))
    }

    /// Every version of an extension. A token that has ended does not keep anybody from looking.
    fn versions(&self, extension: &str) -> Attempt<Vec<Found>> {
        const PATH: &str = "/_apis/public/gallery/extensionquery";
        let question = query::question(extension);
        let asked = |token: Option<&Secret>| {
            self.ask(Method::POST, PATH, token, "3.0-preview.1", Some(&question))
        };
        let token = self.token();
        let mut answered = asked(token.as_ref())?;
        if token.is_some() && matches!(answered.value.status, 401 | 403) {
            answered = asked(None)?;
        }
        let answer = &answered.value;
        let shown = format!("{}{PATH}", self.url);
        let blotted = |text: String| match &token {
            Some(token) => token.blot(&text),
            None => text,
        };
        if answer.status != 200 {
            let said = blotted(said(&answer.bytes));
            return Err(Trouble::of_answer(&shown, answer, &said, self.world.now()));
        }
        let value = query::answer(&answer.bytes, extension)
            .map_err(|what| Trouble::last(Kind::Failure, format!("{shown}: {}", blotted(what))))?;
        Ok(Answered {
            value,
            status: answered.status,
            request: answered.request,
        })
    }

    fn presence_of(
        &self,
        item: &Item,
        package: &Package,
        versions: &[Found],
    ) -> std::result::Result<Presence, Trouble> {
        let Some(found) = query::find(versions, &package.identity) else {
            return Ok(Presence::Absent);
        };
        match (found.validated, &found.message) {
            (true, _) => {}
            (false, Some(message)) => {
                let message = said(message.as_bytes());
                let what = format!("{}: validation failed: {message}", package.identity);
                return Err(Trouble::last(Kind::Failure, what)
                    .hint("mend it and raise the version: this one stays taken")
                    .hint(format!(
                        "{}/manage/publishers/{}",
                        self.url, package.identity.publisher
                    )));
            }
            (false, None) => {
                return Ok(Presence::Pending {
                    since: found.updated.clone(),
                    why: "it was taken, and is being validated".to_owned(),
                });
            }
        }
        let bytes = self.download(package)?.value;
        Ok(match self.compare(item, &bytes) {
            Some(level) => Presence::Same { level },
            None => Presence::Differs {
                remote: Digest::of(&bytes).to_string(),
            },
        })
    }

    fn download(&self, package: &Package) -> Attempt<Vec<u8>> {
        let identity = &package.identity;
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

    fn extension(&self) -> Result<&'run Extension> {
        self.config.required_extension()
    }

    /// A folder of our own: dist/ may change while a file is read, and `vsce` looks around where
    /// it stands.
    fn folder(&self) -> Result<tempfile::TempDir> {
        let private = self.world.private();
        files::create_folder(&private)?;
        tempfile::Builder::new()
            .prefix("publish-")
            .tempdir_in(&private)
            .map_err(|cause| Error::failure(format!("create a folder in {private}: {cause}")))
    }

    fn require_credential(&self) -> Result<()> {
        let missing =
            |what: &str| Error::precondition(format!("no credential for {}: {what}", self.url));
        match self.credential {
            MarketplaceCredential::Pat => match self.token() {
                Some(_) => Ok(()),
                None => Err(missing(&format!("{TOKEN} is not set"))
                    .hint(format!(
                        "set {TOKEN} in the environment; scope: Marketplace, Manage"
                    ))
                    .hint(GLOBAL_TOKENS)),
            },
            MarketplaceCredential::Oidc => {
                let actions = self.world.variable("GITHUB_ACTIONS") == Some("true");
                match actions && identity::is_available(self.world) {
                    true => Ok(()),
                    false => Err(missing("this is no job with an identity").hint(identity::HOW)),
                }
            }
            // Only the Azure libraries know whether they find one.
            MarketplaceCredential::Azure => Ok(()),
        }
    }

    /// Who has which role for a publisher: any role gets an answer, only some may publish.
    fn roles(&self, publisher: &str, token: &Secret) -> Result<Statement> {
        let path = format!(
            "/_apis/securityroles/scopes/gallery.publisher/roleassignments/resources/{publisher}"
        );
        let answer = self
            .ask(Method::GET, &path, Some(token), "3.2-preview.1", None)
            .map_err(|trouble| trouble.into_error(1))?
            .value;
        let remedy = "ask an owner of the publisher for the role Contributor";
        if answer.status != 200 {
            let said = token.blot(&said(&answer.bytes));
            let found = format!("{TOKEN} for {publisher}: answers {} {said}", answer.status);
            return Ok(Statement::bad("role", found.trim_end(), remedy));
        }
        let value: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
        let assignments = value["value"].as_array().map(Vec::as_slice);
        let roles: Vec<(&str, &str)> = assignments
            .unwrap_or_default()
            .iter()
            .filter_map(|one| {
                let who = one["identity"]["displayName"]
                    .as_str()
                    .unwrap_or("somebody");
                Some((who, one["role"]["name"].as_str()?))
            })
            .collect();
        let listed: Vec<String> = roles
            .iter()
            .map(|(who, role)| format!("{who}: {role}"))
            .collect();
        let found = format!("the roles for {publisher}: {}", listed.join(", "));
        Ok(match roles.iter().any(|(_, role)| *role != "Reader") {
            true => Statement::good("role", found),
            false => Statement::bad("role", found, remedy),
        })
    }
}

/// The header of a token, which repeats it in another form: as secret as the token itself.
fn authorization(token: &str) -> Secret {
    Secret::new(format!(
        "Basic {}",
        STANDARD.encode(format!("OAuth:{token}"))
    ))
}

impl Registry for Marketplace<'_> {
    fn takes(&self) -> &[Item] {
        &self.extensions.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let mut all = Answered::plain(Vec::new());
        let mut asked: Vec<(String, Vec<Found>)> = Vec::new();
        for item in items {
            let package = self.extensions.package(item)?;
            let name = package.identity.extension();
            if !asked.iter().any(|(known, _)| *known == name) {
                let answered = self.versions(&name)?;
                (all.status, all.request) = (answered.status, answered.request);
                asked.push((name.clone(), answered.value));
            }
            let versions = asked.iter().find(|(known, _)| *known == name);
            let versions = versions.map(|(_, versions)| versions.as_slice());
            let presence = self.presence_of(item, package, versions.unwrap_or_default())?;
            all.value.push(presence);
        }
        Ok(all)
    }

    fn ready(&self) -> Result<()> {
        self.require_credential()?;
        vsce::find(self.world, self.extension()?).map(drop)
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        let package = self.extensions.package(item)?;
        let (node, program) = vsce::find(self.world, self.extension()?)?;
        let folder = self.folder()?;
        let file = utf8(folder.path().to_path_buf())?.join(&package.path);
        files::write(&file, &package.bytes)?;
        let vsce = Vsce {
            world: self.world,
            node: &node,
            program: &program,
            url: self.url,
            credential: self.credential,
        };
        vsce.publish(&file)
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let package = self.extensions.package(item)?;
        let answered = self.download(package)?;
        Ok(Answered {
            value: Some(answered.value),
            status: answered.status,
            request: answered.request,
        })
    }

    fn compare(&self, item: &Item, bytes: &[u8]) -> Option<Level> {
        if Digest::of(bytes) == item.sha256 {
            return Some(Level::Bytes);
        }
        let package = self.extensions.package(item).ok()?;
        let mine = payload::of_container(&package.bytes).ok()?;
        let theirs = payload::of_container(bytes).ok()?;
        (mine == theirs).then_some(Level::Payload)
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        self.require_credential()?;
        let mut statements = Vec::new();
        match (self.credential, self.token()) {
            (MarketplaceCredential::Pat, Some(token)) => {
                statements.push(Statement::good(
                    "identity",
                    format!("{TOKEN}, for {}", self.url),
                ));
                for publisher in self.extensions.publishers() {
                    statements.push(self.roles(publisher, &token)?);
                }
                let text = format!("a token does not tell its end; {GLOBAL_TOKENS}");
                statements.push(Statement::good("expires", text));
            }
            (MarketplaceCredential::Oidc, _) => {
                let job = identity::token(self.world, AUDIENCE);
                let job = job.map_err(|trouble| trouble.into_error(1))?.value;
                let claims = identity::telling(&identity::claims(&job));
                let text = format!("a GitHub Actions job, for {AUDIENCE}");
                statements.push(Statement::good("identity", text));
                let text = format!(
                    "{claims}; the publisher's trusted publishing policy must name the same"
                );
                statements.push(Statement::good("claims", text));
            }
            (MarketplaceCredential::Azure | MarketplaceCredential::Pat, _) => {
                let (node, program) = vsce::find(self.world, self.extension()?)?;
                let vsce = Vsce {
                    world: self.world,
                    node: &node,
                    program: &program,
                    url: self.url,
                    credential: self.credential,
                };
                let folder = self.folder()?;
                let place = utf8(folder.path().to_path_buf())?;
                for publisher in self.extensions.publishers() {
                    statements.push(match vsce.verify(publisher, &place)? {
                        Ok(()) => Statement::good(
                            "role",
                            format!("Microsoft Entra ID has some role for {publisher}; publishing needs Contributor"),
                        ),
                        Err(what) => Statement::bad(
                            "role",
                            format!("Microsoft Entra ID for {publisher}: {what}"),
                            "log in: az login; and add the identity to the publisher as Contributor",
                        ),
                    });
                }
            }
        }
        Ok(statements)
    }
}
