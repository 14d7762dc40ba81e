//! The Visual Studio Marketplace. Files are sent by the extension's own pinned `vsce`, which knows
//! the ways to be known to it; what is there is asked as editors ask.
//!
//! Taken is not published: the Marketplace validates every version afterwards, and only then can
//! everybody get it. It may write the container anew, so a file that is not the same byte for
//! byte is compared by what it carries, and which of the two held is said. Each platform is a
//! file of its own: half a matrix is finished by running again.
//!
//! Versions that are not validated are shown to their owner only, for a token or for the identity
//! of a job. With Microsoft Entra ID they are absent, and what was just sent is waited for.

mod event;
mod gallery;
mod query;
mod vsce;

use camino::Utf8Path;

use super::extension::{Extensions, Package};
use super::{
    Answered, Attempt, Item, Level, Opening, Presence, Registry, Statement, Trouble, identity, said,
};
use crate::artifact::Digest;
use crate::config::publish::MarketplaceCredential;
use crate::config::{Config, Extension};
use crate::error::{Error, Kind, Result};
use crate::product::vsix::identity::Identity;
use crate::product::vsix::payload;
use crate::tools::node::Node;
use crate::world::{World, files, utf8};
use gallery::{AUDIENCE, Gallery};
use query::Found;
use vsce::{TOKEN, Vsce};

/// Said wherever a personal access token is in question.
const GLOBAL_TOKENS: &str = "personal access tokens for all organisations stop on 2026-12-01: \
                             set credential = \"oidc\" or \"azure\" in release.toml";

/// The opened Marketplace.
pub struct Marketplace<'run> {
    world: &'run World,
    config: &'run Config,
    url: &'run str,
    credential: MarketplaceCredential,
    gallery: Gallery<'run>,
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
            gallery: Gallery::new(opening.world, url, credential),
            extensions: Extensions::of(&opening)?,
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
        let bytes = self.gallery.download(&package.identity)?.value;
        Ok(match self.compare(item, &bytes) {
            Some(level) => Presence::Same { level },
            None => Presence::Differs {
                remote: Digest::of(&bytes).to_string(),
            },
        })
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
            .prefix(super::UPLOADS)
            .tempdir_in(&private)
            .map_err(|cause| Error::failure(format!("create a folder in {private}: {cause}")))
    }

    fn require_credential(&self) -> Result<()> {
        let missing =
            |what: &str| Error::precondition(format!("no credential for {}: {what}", self.url));
        match self.credential {
            MarketplaceCredential::Pat => match self.gallery.token() {
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

    fn token_statements(&self) -> Result<Vec<Statement>> {
        let found = format!("{TOKEN}, for {}", self.url);
        let mut statements = vec![Statement::good("identity", found)];
        for publisher in self.extensions.publishers() {
            if let Some(token) = self.gallery.token() {
                statements.push(self.gallery.roles(publisher, &token)?);
            }
        }
        let found = format!("a token does not tell its end; {GLOBAL_TOKENS}");
        statements.push(Statement::good("expires", found));
        Ok(statements)
    }

    fn job_statements(&self) -> Result<Vec<Statement>> {
        let job = || {
            let job = identity::token(self.world, AUDIENCE);
            Ok::<_, Error>(job.map_err(|trouble| trouble.into_error(1))?.value)
        };
        let claims = identity::telling(&identity::claims(&job()?));
        let policy = "the publisher's trusted publishing policy must name the same";
        let mut statements = vec![
            Statement::good("identity", format!("a GitHub Actions job, for {AUDIENCE}")),
            Statement::good("claims", format!("{claims}; {policy}")),
        ];
        for publisher in self.extensions.publishers() {
            // An identity is good for one exchange, and nothing is published with what comes of it.
            statements.push(match self.gallery.exchange(publisher, &job()?) {
                Ok(_) => Statement::good("role", format!("may publish for {publisher}")),
                Err(trouble) => {
                    let manage = format!("{}/manage/publishers/{publisher}", self.url);
                    let remedy =
                        format!("add the policy at {manage}, or set credential = \"azure\"");
                    Statement::bad("role", trouble.what, remedy)
                }
            });
        }
        Ok(statements)
    }

    /// Only the Azure libraries that `vsce` has can log in, so it is asked.
    fn azure_statements(&self) -> Result<Vec<Statement>> {
        let (node, program) = vsce::find(self.world, self.extension()?)?;
        let folder = self.folder()?;
        let place = utf8(folder.path().to_path_buf())?;
        let vsce = self.vsce(&node, &program);
        let mut statements = Vec::new();
        for publisher in self.extensions.publishers() {
            let who = "Microsoft Entra ID";
            statements.push(match vsce.verify(publisher, &place)? {
                Ok(()) => {
                    let found = format!("{who} has a role for {publisher}; Contributor is needed");
                    Statement::good("role", found)
                }
                Err(what) => {
                    let found = format!("{who} for {publisher}: {what}");
                    let remedy = "log in: az login; and make that identity a Contributor";
                    Statement::bad("role", found, remedy)
                }
            });
        }
        Ok(statements)
    }

    fn vsce<'call>(&'call self, node: &'call Node, program: &'call Utf8Path) -> Vsce<'call> {
        Vsce {
            world: self.world,
            node,
            program,
            url: self.url,
            credential: self.credential,
        }
    }
}

impl Registry for Marketplace<'_> {
    fn is_matrix(&self) -> bool {
        true
    }

    fn takes(&self) -> &[Item] {
        &self.extensions.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let packages = items.iter().map(|item| self.extensions.package(item));
        let packages = packages.collect::<Result<Vec<&Package>>>()?;
        let mut all = Answered::plain(Vec::new());
        let mut asked: Vec<(String, Vec<Found>)> = Vec::new();
        for (item, package) in items.iter().zip(&packages) {
            let name = package.identity.extension();
            if !asked.iter().any(|(known, _)| *known == name) {
                let identities = packages.iter().map(|package| &package.identity);
                let of: Vec<&Identity> = identities.filter(|it| it.extension() == name).collect();
                let answered = self.gallery.versions(&of)?;
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
        self.vsce(&node, &program).publish(&file)
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let package = self.extensions.package(item)?;
        let answered = self.gallery.download(&package.identity)?;
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
        match self.credential {
            MarketplaceCredential::Pat => self.token_statements(),
            MarketplaceCredential::Oidc => self.job_statements(),
            MarketplaceCredential::Azure => self.azure_statements(),
        }
    }
}
