//! A Python package index. What is there is read from its simple index by digest; files are sent
//! by twine, which alone knows where indexes are and which credentials belong to them.
//!
//! A file name is used once for ever: the same bytes under it are done, others are a conflict.

mod identity;
mod page;

use std::sync::OnceLock;

use serde_json::Value;

use super::{
    Answered, Attempt, Item, Level, Opening, Phase, Presence, Registry, Statement, Trouble, said,
    trouble,
};
use crate::artifact::{Digest, Kind};
use crate::config::publish::Index;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::name::normalize;
use crate::tools::python::Environment;
use crate::tools::twine::{self, Answer};
use crate::world::remote::{self, Method, Patience, Remote};
use crate::world::{World, files};
use page::File;

/// Pages are asked for as JSON; indexes that have none answer in HTML (PEP 691).
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
                      application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// The largest page, and the largest file.
const PAGE_LIMIT: u64 = 64 << 20;
const FILE_LIMIT: u64 = 1 << 30;

/// The opened index.
pub struct Pypi<'run> {
    world: &'run World,
    index: &'run Index,
    attestations: bool,
    project: String,
    items: Vec<Item>,
    contents: Vec<Vec<u8>>,
    described: OnceLock<Described>,
}

/// What twine says about an index.
#[derive(Debug, Clone)]
struct Described {
    environment: Environment,
    simple: String,
    answer: Answer,
}

impl<'run> Pypi<'run> {
    /// Opens the index of a target: wheel and sdist go there, the wheel first.
    pub fn open(opening: Opening<'run>, index: &'run Index, attestations: bool) -> Self {
        let release = opening.release;
        let wheel = release.manifest.find(Kind::Wheel);
        let artifacts = release.manifest.artifacts.iter();
        let mut artifacts: Vec<_> = artifacts
            .filter(|artifact| matches!(artifact.kind, Kind::Wheel | Kind::Sdist))
            .collect();
        artifacts.sort_by_key(|artifact| artifact.kind);
        let item = |artifact: &&crate::artifact::Artifact| Item {
            key: artifact.path.clone(),
            sha256: artifact.sha256.clone(),
            size: artifact.size,
            phase: Phase::Main,
        };
        let bytes = |artifact: &&crate::artifact::Artifact| {
            let bytes = release.contents.get(&artifact.path);
            bytes.cloned().unwrap_or_default()
        };
        Pypi {
            world: opening.world,
            index,
            attestations,
            project: wheel
                .map(|wheel| normalize(&wheel.name))
                .unwrap_or_default(),
            items: artifacts.iter().map(item).collect(),
            contents: artifacts.iter().map(bytes).collect(),
            described: OnceLock::new(),
        }
    }

    /// The arguments that name the index to the driver.
    fn named(&self) -> [&str; 2] {
        match self.index {
            Index::Named(name) => ["--repository", name],
            Index::Address { url, .. } => ["--url", url],
        }
    }

    /// Asks twine once where the index is and who would upload.
    fn described(&self) -> Result<&Described> {
        if let Some(described) = self.described.get() {
            return Ok(described);
        }
        let environment = twine::environment(self.world)?;
        let [option, name] = self.named();
        let answer = twine::drive(self.world, &environment, &["describe", option, name])?;
        if let Some(kind) = &answer.error {
            return Err(configuration(kind, &answer));
        }
        let upload = answer.upload.clone().unwrap_or_default();
        let simple = match self.index {
            Index::Address {
                simple: Some(simple),
                ..
            } => Some(simple.clone()),
            _ => answer.simple.clone().or_else(|| simple_of(&upload)),
        };
        let simple = simple.ok_or_else(|| {
            Error::usage(format!("{name}: where its simple index is cannot be told"))
                .hint("say it in release.toml: simple = \"https://…/simple/\"")
        })?;
        Ok(self.described.get_or_init(|| Described {
            environment,
            simple: simple.trim_end_matches('/').to_owned(),
            answer,
        }))
    }

    /// The page of the project: the files it lists.
    ///
    /// A page with files on it is the right one wherever its address came from, so twine, which
    /// takes longer to start than everything else here, is asked only before anything is called
    /// absent: it knows addresses that the rule does not fit.
    fn page(&self) -> Attempt<Vec<File>> {
        let Some(simple) = self.told().filter(|_| self.described.get().is_none()) else {
            return self.read(&self.ask(&self.described()?.simple)?);
        };
        let first = self.ask(&simple)?;
        if remote::is_busy(first.value.1.status) {
            return self.read(&first);
        }
        let found = self.read(&first);
        if self.is_stated() || found.as_ref().is_ok_and(|found| !found.value.is_empty()) {
            return found;
        }
        match &self.described()?.simple {
            same if *same == simple => found,
            other => self.read(&self.ask(other)?),
        }
    }

    /// Where the simple index is, as far as release.toml tells.
    fn told(&self) -> Option<String> {
        let simple = match self.index {
            Index::Address { simple, url } => simple.clone().or_else(|| simple_of(url)),
            Index::Named(_) => None,
        };
        simple.map(|simple| simple.trim_end_matches('/').to_owned())
    }

    /// Whether it tells that in so many words.
    fn is_stated(&self) -> bool {
        let Index::Address { simple, .. } = self.index else {
            return false;
        };
        simple.is_some()
    }

    /// Asks for the project's page once.
    fn ask(&self, simple: &str) -> Attempt<(String, remote::Answer)> {
        let address = format!("{simple}/{}/", self.project);
        let answered = get(self.world, &address, ACCEPT, PAGE_LIMIT)?;
        Ok(Answered {
            value: (address, answered.value),
            status: answered.status,
            request: answered.request,
        })
    }

    /// What is on the page that was answered with.
    fn read(&self, answered: &Answered<(String, remote::Answer)>) -> Attempt<Vec<File>> {
        let (address, answer) = &answered.value;
        let files = match answer.status {
            200 => {
                let kind = answer.headers.get("content-type").unwrap_or_default();
                page::read(address, &kind, &answer.bytes)?
            }
            404 => Vec::new(),
            _ => {
                let said = said(&answer.bytes);
                let now = self.world.now();
                let trouble = Trouble::of_answer(&shown(address), answer, &said, now);
                return Err(match answer.status {
                    401 | 403 => trouble.hint(
                        "the index wants a login for reading, which is not supported: files are \
                         looked up as everybody sees them",
                    ),
                    _ => trouble,
                });
            }
        };
        Ok(Answered {
            value: files,
            status: answered.status,
            request: answered.request.clone(),
        })
    }

    fn presence_of(&self, item: &Item, files: &[File]) -> std::result::Result<Presence, Trouble> {
        let Some(file) = page::find(files, &item.key) else {
            return Ok(Presence::Absent);
        };
        let (found, level) = match &file.sha256 {
            Some(digest) => (digest.clone(), Level::Digest),
            // An index that states no sha256 has to give the bytes.
            None => {
                let bytes = self.download(file)?.value;
                (Digest::of(&bytes), Level::Bytes)
            }
        };
        Ok(match found == item.sha256 {
            true => Presence::Same { level },
            false => Presence::Differs {
                remote: found.to_string(),
            },
        })
    }

    fn download(&self, file: &File) -> Attempt<Vec<u8>> {
        let answered = get(self.world, &file.url, "*/*", FILE_LIMIT)?;
        let answer = answered.value;
        match answer.status {
            200 => Ok(Answered {
                value: answer.bytes,
                status: answered.status,
                request: answered.request,
            }),
            // It is listed, so it will be there.
            404 => Err(Trouble::not_yet(format!(
                "{}: is listed and not there yet",
                shown(&file.url)
            ))),
            _ => {
                let now = self.world.now();
                Err(Trouble::of_answer(&shown(&file.url), &answer, "", now))
            }
        }
    }

    /// Has a file in a folder of its own, because dist/ may change while it is read.
    fn send(&self, item: &Item, bytes: &[u8]) -> Result<Answer> {
        let described = self.described()?;
        let folder = tempfile::Builder::new()
            .prefix(super::UPLOADS)
            .tempdir_in(self.world.private())
            .map_err(|cause| Error::failure(format!("create a temporary folder: {cause}")))?;
        let folder = camino::Utf8Path::from_path(folder.path())
            .ok_or_else(|| Error::failure("the private folder is not UTF-8"))?;
        let file = folder.join(&item.key);
        files::write(&file, bytes)?;
        let [option, name] = self.named();
        let mut words = vec!["upload", file.as_str(), option, name];
        let attestation = folder.join(format!("{}.publish.attestation", item.key));
        if self.attestations && trusted(&described.answer) {
            twine::attest(self.world, &file, &attestation)?;
            words.extend(["--attestation", attestation.as_str()]);
        }
        twine::drive(self.world, &described.environment, &words)
    }
}

fn trusted(answer: &Answer) -> bool {
    answer.credential.as_deref() == Some("trusted-publishing")
}

/// The simple index that belongs to an address for uploads, by the one rule that holds for the
/// indexes of the main one's software.
fn simple_of(upload: &str) -> Option<String> {
    let base = upload.trim_end_matches('/');
    let base = base.strip_suffix("/legacy").unwrap_or(base);
    (!base.is_empty()).then(|| format!("{base}/simple/"))
}

fn configuration(kind: &str, answer: &Answer) -> Error {
    let message = answer.message.clone().unwrap_or_default();
    match kind {
        "unknown" => Error::usage(format!("{message}; known: {}", answer.known.join(", ")))
            .hint("name one of them, or write the address: url = \"https://…\""),
        "configuration" => Error::usage(message),
        _ => Error::failure(message),
    }
}

/// Asks an absolute address once.
fn get(world: &World, address: &str, accept: &str, limit: u64) -> Attempt<remote::Answer> {
    let Some((base, path)) = remote::split(address) else {
        let what = format!("{}: no address", shown(address));
        return Err(Trouble::last(ErrorKind::Failure, what));
    };
    let path = path.split('#').next().unwrap_or(path);
    let remote = Remote::new(world, base, "the index", Patience::default())?;
    let headers = [
        ("accept", accept),
        ("cache-control", "no-cache"),
        ("accept-encoding", "identity"),
    ];
    let answer = remote
        .send(Method::GET, path, &headers, None, limit)
        .map_err(|trouble| Trouble::of_network(&remote.shown(path), trouble))?;
    Ok(Answered {
        status: Some(answer.status),
        request: trouble::request_id(&answer),
        value: answer,
    })
}

fn shown(address: &str) -> String {
    remote::shown(address)
}

impl Registry for Pypi<'_> {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let files = self.page()?;
        let found = items
            .iter()
            .map(|item| self.presence_of(item, &files.value));
        Ok(Answered {
            value: found.collect::<std::result::Result<Vec<_>, _>>()?,
            status: files.status,
            request: files.request,
        })
    }

    fn ready(&self) -> Result<()> {
        let described = self.described()?;
        if described.answer.credential.is_some() {
            return Ok(());
        }
        let upload = described.answer.upload.as_deref().unwrap_or_default();
        Err(Error::precondition(format!("no credential for {upload}"))
            .hint("a token: TWINE_USERNAME=__token__ and TWINE_PASSWORD in the environment")
            .hint("or a section of ~/.pypirc, or the keyring, as twine reads them")
            .hint("in GitHub Actions: trusted publishing, with `permissions: id-token: write`"))
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        let found = self.items.iter().position(|one| one.key == item.key);
        let bytes = found.and_then(|at| self.contents.get(at));
        let bytes = bytes.ok_or_else(|| Error::failure(format!("{}: no bytes", item.key)))?;
        let answer = self.send(item, bytes)?;
        judge(&answer, self.described()?, self.world)
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        let files = self.page()?;
        let Some(file) = page::find(&files.value, &item.key) else {
            return Err(Trouble::not_yet(format!("{}: is not listed", item.key)));
        };
        let answered = self.download(file)?;
        Ok(Answered {
            value: Some(answered.value),
            status: answered.status,
            request: answered.request,
        })
    }

    fn simple_index(&self) -> Result<Option<String>> {
        let stated = self.told().filter(|_| self.is_stated());
        let simple = match stated {
            Some(simple) => simple,
            None => self.described()?.simple.clone(),
        };
        Ok(Some(format!("{simple}/")))
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        self.ready()?;
        let described = self.described()?;
        let answer = &described.answer;
        let upload = answer.upload.as_deref().unwrap_or_default();
        let who = answer.username.as_deref().unwrap_or("nobody");
        let from = answer.credential.as_deref().unwrap_or("nowhere");
        let mut said = vec![Statement::good(
            "identity",
            format!("{who} from {from}, for {upload}"),
        )];
        said.push(match trusted(answer) {
            true => identity::statement(self.world, &described.simple)?,
            false => {
                let text = "a token tells neither its role nor its end before it is used";
                Statement::good("role", text)
            }
        });
        Ok(said)
    }
}

/// What the driver's answer to an upload means.
fn judge(answer: &Answer, described: &Described, world: &World) -> Attempt<()> {
    let upload = described.answer.upload.as_deref().unwrap_or_default();
    let message = answer.message.as_deref().unwrap_or_default();
    if let Some(kind) = &answer.error {
        let last = |kind| Trouble::last(kind, format!("{upload}: {message}"));
        return Err(match kind.as_str() {
            "credentials" => last(ErrorKind::Precondition),
            "oidc" => last(ErrorKind::Precondition).hint(format!(
                "the claims, which the index's trusted publisher must name: {}",
                answer.claims.clone().unwrap_or(Value::Null)
            )),
            "configuration" | "redirect" => last(ErrorKind::Usage),
            _ => last(ErrorKind::Failure),
        });
    }
    if let Some(kind) = &answer.trouble {
        let what = format!("{upload}: {kind}: {message}");
        return Err(match kind.as_str() {
            "tls" => Trouble::last(ErrorKind::Failure, what),
            _ => Trouble::passing(what),
        });
    }
    let status = answer.status.unwrap_or_default();
    let body = said(answer.body.as_deref().unwrap_or_default().as_bytes());
    let done = Answered {
        value: (),
        status: Some(status),
        request: answer.request_id.clone(),
    };
    match status {
        200..=299 => Ok(done),
        // Something has this name: what, only reading back tells.
        400 | 403 | 409 if page::says_exists(&body) => Ok(done),
        400 if body.contains("previously used") => {
            let what = format!("{upload}: answers 400: {body}");
            Err(Trouble {
                status: Some(status),
                ..Trouble::last(ErrorKind::Conflict, what)
            }
            .hint("a deleted file's name is never free again: raise the version"))
        }
        _ => {
            let after = answer.retry_after.as_deref();
            let after = after.and_then(|text| remote::after(text, world.now()));
            let mut trouble = Trouble::of_status(upload, status, &body, after);
            trouble.request.clone_from(&answer.request_id);
            Err(trouble)
        }
    }
}
