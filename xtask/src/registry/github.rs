//! GitHub Releases, through `octocrab`. Every file goes into a draft, which nobody sees; the
//! draft is published last of all, and nothing that is published is ever changed or deleted.

mod api;
mod credential;
mod draft;
mod listing;
mod text;

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use octocrab::models::repos::Release;
use serde_json::{Value, json};

use super::{Answered, Attempt, Item, Opening, Phase, Presence, Registry, Statement, Trouble};
use crate::artifact::{Digest, Kind as Artifact, MANIFEST_FILE};
use crate::dist::SUMS_FILE;
use crate::error::{Error, Kind, Result};
use crate::version::tag;
use crate::world::World;
use api::{Api, Ask, JSON_LIMIT, Reply};
use credential::Token;
use draft::{Found, Has};
use listing::{Look, Scope};
use text::Marker;

/// What an answer with a file may have beside its expected size; more is another file.
const SPARE: u64 = 64 << 10;

type Tried<T> = std::result::Result<T, Trouble>;

/// The opened releases of a repository.
#[derive(Debug)]
pub struct Github<'run> {
    world: &'run World,
    api: Api<'run>,
    address: String,
    repository: String,
    token: OnceLock<Result<Option<Token>>>,
    /// The number of our release, once it was seen: asking for it spares the whole listing. What
    /// it has is asked each time.
    number: Mutex<Option<u64>>,
    contents: BTreeMap<String, Vec<u8>>,
    files: Vec<Item>,
    items: Vec<Item>,
    release: Sealed,
}

/// What the release is called and says.
#[derive(Debug)]
struct Sealed {
    version: String,
    commit: String,
    pattern: String,
    tag: String,
    name: String,
    body: String,
    marker: Marker,
}

impl<'run> Github<'run> {
    /// Opens the releases of `owner/name` at the address of an interface.
    ///
    /// # Errors
    /// The address cannot be used, or a file has a name that GitHub would change.
    pub fn open(opening: Opening<'run>, repository: &str, address: &str) -> Result<Github<'run>> {
        let (world, release) = (opening.world, opening.release);
        let manifest = &release.manifest;
        let mut contents = release.contents.clone();
        for (path, bytes) in release.files()? {
            if [SUMS_FILE, MANIFEST_FILE].contains(&path.as_str()) {
                contents.insert(path, bytes);
            }
        }
        if let Some(name) = contents.keys().find(|name| !text::is_kept(name)) {
            return Err(Error::usage(format!(
                "dist/{name}: GitHub would give this file another name"
            ))
            .hint("letters, digits and - _ . + @ are kept; a dot at an end is not"));
        }
        if let Some((name, _)) = contents.iter().find(|(_, bytes)| bytes.is_empty()) {
            return Err(Error::usage(format!(
                "dist/{name}: GitHub takes no file without bytes"
            )));
        }
        let mut files: Vec<Item> = contents
            .iter()
            .map(|(name, bytes)| Item {
                key: name.clone(),
                sha256: Digest::of(bytes),
                size: bytes.len() as u64,
                phase: Phase::Main,
            })
            .collect();
        // What names all others comes after them.
        files.sort_by_key(|file| {
            [MANIFEST_FILE, SUMS_FILE]
                .iter()
                .position(|it| *it == file.key)
        });
        let sums = contents.get(SUMS_FILE).map(Vec::as_slice);
        let (version, pattern) = (&manifest.version, &opening.config.version.tag);
        let tag = tag::name(pattern, version);
        let mut items = files.clone();
        items.push(Item {
            key: format!("release {tag}"),
            sha256: Digest::of(sums.unwrap_or_default()),
            size: 0,
            phase: Phase::Last,
        });
        let marker = Marker::for_release(manifest);
        let (notes_file, notes) = match release.only(Artifact::ReleaseNotes) {
            Ok((artifact, bytes)) => (artifact.path.as_str(), String::from_utf8_lossy(bytes)),
            Err(_) => ("", "".into()),
        };
        let named = format!("target.{}.api", opening.target.name);
        Ok(Github {
            world,
            api: Api::new(world, address, &named)?,
            address: address.to_owned(),
            repository: repository.to_owned(),
            token: OnceLock::new(),
            number: Mutex::new(None),
            contents,
            files,
            items,
            release: Sealed {
                body: text::body(&notes, notes_file, &marker),
                name: format!("{} {version}", manifest.name),
                commit: manifest.source.commit.clone(),
                version: version.clone(),
                pattern: pattern.clone(),
                tag,
                marker,
            },
        })
    }

    /// The token, looked for when it is first needed.
    fn token(&self) -> Result<Option<&Token>> {
        let found = self
            .token
            .get_or_init(|| credential::find(self.world, &self.address));
        found.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// Asks for something of the repository.
    fn ask(&self, ask: Ask<'_>, below: &str, limit: u64) -> Tried<Reply> {
        let path = format!("/repos/{}{below}", self.repository);
        self.api.ask(self.token()?, ask, &path, limit)
    }

    /// An answer of one of these statuses; any other is trouble.
    fn expect(&self, reply: Reply, statuses: &[u16]) -> Tried<Reply> {
        match statuses.contains(&reply.status) {
            true => Ok(reply),
            false => Err(self.api.trouble(&reply, self.token()?)),
        }
    }

    /// What there is, as far as it decides about everything; a sentence when that forbids to go on.
    fn judged<'look>(&self, look: &'look Look) -> (Found<'look>, Option<String>) {
        let found = draft::find(&look.of_tag, &self.files);
        let tagged = look.tagged.as_deref();
        let obstacle = draft::obstacle(found, &self.files, tagged, &self.release.commit);
        (found, obstacle)
    }

    /// Refuses to send anything where something is in the way.
    fn require_free<'look>(&self, look: &'look Look) -> Tried<Found<'look>> {
        match self.judged(look) {
            (found, None) => Ok(found),
            (_, Some(obstacle)) => Err(self.conflict(&obstacle)),
        }
    }

    fn conflict(&self, what: &str) -> Trouble {
        let (repository, tag) = (&self.repository, &self.release.tag);
        Trouble::last(Kind::Conflict, format!("{repository}: {tag}: {what}"))
            .hint("nothing of it was touched: look at it, then keep it and raise the version, or remove it by hand")
    }

    /// Makes the draft, after all drafts were looked through.
    fn create(&self) -> Tried<Release> {
        let release = &self.release;
        match self.tagged()? {
            Some(commit) if commit == release.commit => {}
            Some(commit) => {
                let what = format!("the tag is there and names commit {commit:.12}");
                return Err(self.conflict(&what));
            }
            // Otherwise only the last step of all would find that the tag cannot be set.
            None => self.require_commit()?,
        }
        let new = json!({
            "tag_name": release.tag,
            "target_commitish": release.commit,
            "name": release.name,
            "body": release.body,
            "draft": true,
            "prerelease": text::is_unstable(&release.version),
        });
        let reply = self.ask(Ask::Post(&new), "/releases", JSON_LIMIT)?;
        if reply.status == 404 {
            // The releases were listed a moment ago. To those who may not write, GitHub says
            // that there is nothing to write to.
            return Err(self.unseen(&reply));
        }
        let created: Release = self.expect(reply, &[201])?.json()?;
        self.remember(created.id.0);
        Ok(created)
    }

    fn require_commit(&self) -> Tried<()> {
        let commit = &self.release.commit;
        let reply = self.ask(Ask::Get, &format!("/git/commits/{commit}"), JSON_LIMIT)?;
        match reply.status {
            // The latter two are for a commit that is not there and for an empty repository.
            404 | 409 | 422 => Err(Trouble::last(
                Kind::Precondition,
                format!("{} does not have commit {commit:.12}", self.repository),
            )
            .hint("push it first: git push")),
            _ => self.expect(reply, &[200]).map(drop),
        }
    }

    /// Sends a file into the draft, in place of what is under its name there.
    fn send(&self, item: &Item) -> Attempt<()> {
        let look = self.look(Scope::Ours)?;
        let created;
        let draft = match self.require_free(&look)? {
            Found::Draft(draft) => draft,
            Found::Published(release) => {
                return match draft::has(release, item) {
                    // Somebody was faster, with the same bytes.
                    Has::Same => Ok(look.answered(())),
                    Has::Other(other) => Err(self.conflict(&format!(
                        "a published release with another {}: {other}",
                        item.key
                    ))),
                    Has::Nothing => {
                        Err(self.conflict(&format!("a published release without {}", item.key)))
                    }
                };
            }
            Found::Nothing | Found::Foreign(_) => {
                created = self.create()?;
                &created
            }
        };
        match draft::has(draft, item) {
            Has::Same => return Ok(look.answered(())),
            Has::Nothing => {}
            Has::Other(_) => self.clear(draft.id.0, &item.key)?,
        }
        // The address is a template: `…/assets{?name,label}`.
        let address = draft.upload_url.split('{').next().unwrap_or_default();
        let name: String = url::form_urlencoded::byte_serialize(item.key.as_bytes()).collect();
        let address = format!("{address}?name={name}");
        let bytes = self.contents.get(&item.key).map(Vec::as_slice);
        let reply = self
            .api
            .send(self.token()?, &address, bytes.unwrap_or_default())?;
        if reply.status == 422 && api::has_code(&reply, None, "already_exists") {
            // Another run, or an upload of which nobody knew how it ended. What it left is seen
            // by looking again.
            let what = format!("{}: {} is there already", reply.shown, item.key);
            return Err(Trouble {
                status: Some(reply.status),
                request: reply.request(),
                ..Trouble::not_yet(what)
            });
        }
        self.expect(reply, &[201])
            .map(|reply| listing::answered(&reply, ()))
    }

    /// Takes a file out of a draft that is still one.
    fn clear(&self, number: u64, key: &str) -> Tried<()> {
        let draft = self.require_draft(number)?;
        let Some(asset) = draft::asset(&draft, key) else {
            return Ok(());
        };
        let path = format!("/releases/assets/{}", asset.id);
        let reply = self.ask(Ask::Delete, &path, JSON_LIMIT)?;
        self.expect(reply, &[204, 404]).map(drop)
    }

    /// A release of which something is about to be deleted: asked for once more, because nothing
    /// is ever deleted of what is published.
    fn require_draft(&self, number: u64) -> Tried<Release> {
        let reply = self.ask(Ask::Get, &format!("/releases/{number}"), JSON_LIMIT)?;
        let release: Release = self.expect(reply, &[200])?.json()?;
        match release.draft {
            true => Ok(release),
            false => Err(self.conflict("it was published a moment ago")),
        }
    }

    /// Publishes the draft.
    fn publish(&self) -> Attempt<()> {
        let look = self.look(Scope::Everything)?;
        let draft = match self.require_free(&look)? {
            Found::Draft(draft) => draft,
            // Somebody was faster; whether it is the same is seen by looking again.
            Found::Published(_) => return Ok(look.answered(())),
            Found::Nothing | Found::Foreign(_) => {
                return Err(self.unfinished("there is no draft of it"));
            }
        };
        if let Some(lacking) = draft::lacking(draft, &self.files) {
            return Err(self.unfinished(&format!("the draft is {lacking}")));
        }
        self.remove_spare(&look, draft)?;
        let release = &self.release;
        let published = look.published.iter().map(String::as_str);
        let latest = text::is_latest(&release.version, &release.pattern, published);
        let mut change = json!({
            "tag_name": release.tag,
            "target_commitish": release.commit,
            "name": release.name,
            "prerelease": text::is_unstable(&release.version),
            "make_latest": latest.to_string(),
            "draft": false,
        });
        // The text of a draft of this very release may have been mended by hand, which stays.
        if Marker::of(draft.body.as_deref().unwrap_or_default()).as_ref() != Some(&release.marker) {
            change["body"] = Value::from(release.body.as_str());
        }
        let reply = self.ask(
            Ask::Patch(&change),
            &format!("/releases/{}", draft.id),
            JSON_LIMIT,
        )?;
        self.expect(reply, &[200])
            .map(|reply| listing::answered(&reply, ()))
    }

    fn unfinished(&self, what: &str) -> Trouble {
        let (repository, tag) = (&self.repository, &self.release.tag);
        Trouble::last(Kind::Failure, format!("{repository}: {tag}: {what}"))
            .hint("run again: it is published once it has all files")
    }

    /// Removes drafts of ours that hold nothing: they are left by creations that were answered
    /// with an error, and whoever published one by hand would publish an empty release. One that
    /// holds files is left to a person.
    fn remove_spare(&self, look: &Look, draft: &Release) -> Tried<()> {
        let (empty, others) = draft::spare(&look.of_tag, draft);
        for spare in empty {
            if self.require_draft(spare.id.0)?.assets.is_empty() {
                let path = format!("/releases/{}", spare.id);
                let reply = self.ask(Ask::Delete, &path, JSON_LIMIT)?;
                self.expect(reply, &[204, 404])?;
            }
        }
        for other in others {
            self.world.terminal.warn(&format!(
                "another draft of {} holds files; remove it by hand: {}",
                self.release.tag, other.html_url
            ));
        }
        Ok(())
    }

    /// The bytes of an asset of a release.
    fn download(&self, release: &Release, item: &Item) -> Attempt<Vec<u8>> {
        let Some(asset) = draft::asset(release, &item.key) else {
            let what = format!("{}: {} is not there", self.repository, item.key);
            return Err(Trouble::not_yet(what));
        };
        let path = format!("/repos/{}/releases/assets/{}", self.repository, asset.id);
        let limit = item.size.saturating_add(SPARE);
        let reply = self.api.download(self.token()?, &path, limit)?;
        let reply = self.expect(reply, &[200])?;
        let (status, request) = (Some(reply.status), reply.request());
        Ok(Answered {
            value: reply.bytes,
            status,
            request,
        })
    }
}

impl Registry for Github<'_> {
    fn takes(&self) -> &[Item] {
        &self.items
    }

    fn presence(&self, items: &[&Item]) -> Attempt<Vec<Presence>> {
        let whole = items.iter().any(|item| item.phase == Phase::Last);
        let scope = match whole {
            true => Scope::Everything,
            false => Scope::Ours,
        };
        let look = self.look(scope)?;
        let (found, obstacle) = self.judged(&look);
        let tagged = look.tagged.as_deref();
        let presence = |item: &&Item| match &obstacle {
            Some(obstacle) => Presence::Differs {
                remote: obstacle.clone(),
            },
            None => draft::presence(item, found, &self.files, tagged),
        };
        let found = items.iter().map(presence).collect();
        Ok(look.answered(found))
    }

    fn ready(&self) -> Result<()> {
        match self.token()? {
            Some(_) => Ok(()),
            None => Err(
                Error::precondition(format!("no token for {}", self.repository))
                    .hint("set GITHUB_TOKEN to one that may write the contents of the repository")
                    .hint("or log in with GitHub's own client: gh auth login"),
            ),
        }
    }

    fn upload(&self, item: &Item) -> Attempt<()> {
        match item.phase {
            Phase::Main => self.send(item),
            Phase::Last => self.publish(),
        }
    }

    fn fetch(&self, item: &Item) -> Attempt<Option<Vec<u8>>> {
        if item.phase == Phase::Last {
            return Ok(Answered::plain(None));
        }
        let look = self.look(Scope::Ours)?;
        match draft::find(&look.of_tag, &self.files) {
            Found::Draft(release) | Found::Published(release) => {
                let answered = self.download(release, item)?;
                Ok(Answered {
                    value: Some(answered.value),
                    status: answered.status,
                    request: answered.request,
                })
            }
            Found::Nothing | Found::Foreign(_) => Err(Trouble::not_yet(format!(
                "{}: no release {}",
                self.repository, self.release.tag
            ))),
        }
    }

    fn identity(&self) -> Result<Vec<Statement>> {
        self.ready()?;
        self.who().map_err(|trouble| trouble.into_error(1))
    }
}
