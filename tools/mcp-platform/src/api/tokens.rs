//! Bearer tokens: a file of hashes that only its owner reads.
//!
//! A token is 256 random bits, so a plain SHA-256 of it is as good as a slow password hash: slowness
//! only helps where guessing is possible, and 2^256 values cannot be guessed. What matters is that the
//! file does not hold the token, that the comparison takes the same time whatever it finds, and that
//! the token is shown once.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::error::{Error, Result};
use crate::model::{Name, Secret};

use super::caller::Role;

/// What every token begins with, so that scanners for leaked secrets can find it.
const PREFIX: &str = "mcpp_";

/// One token, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Token {
    /// Its name, unique in the file.
    pub name: Name,
    /// What it allows.
    pub role: Role,
    /// Where; empty: in all namespaces.
    #[serde(default)]
    pub namespaces: BTreeSet<Name>,
    /// Since when it exists.
    pub created: Timestamp,
    /// Until when it is good; none: until it is revoked.
    #[serde(default)]
    pub expires: Option<Timestamp>,
    /// The SHA-256 of the token, hexadecimal.
    pub sha256: String,
}

impl Token {
    /// Whether it has not expired.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    schema: u32,
    #[serde(default, rename = "token")]
    tokens: Vec<Token>,
}

/// Reads a file of tokens; none when there is no such file.
///
/// # Errors
/// Others may read it, or it is no file of tokens.
pub fn read(path: &Path) -> Result<Option<Vec<Token>>> {
    let wrong = |why: String| {
        Error::precondition(format!("{}: {why}", path.display())).hint("mcp-platform token list")
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    };
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::precondition(format!(
            "{}: others than its owner may use it (mode {:o})",
            path.display(),
            metadata.mode() & 0o777
        ))
        .hint(format!("chmod 600 {}", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))?;
    if file.schema != 1 {
        return Err(wrong(format!("schema {} is not known", file.schema)));
    }
    Ok(Some(file.tokens))
}

/// Makes a token and writes its hash into the file. Returns the token, which nobody keeps.
///
/// # Errors
/// There is one of that name, or the file cannot be written.
pub fn create(path: &Path, mut token: Token, random: &dyn Fn() -> String) -> Result<Secret> {
    let text = format!("{PREFIX}{}{}", random(), random());
    token.sha256 = hash(&text);
    change(path, |tokens| {
        if tokens.iter().any(|each| each.name == token.name) {
            return Err(Error::conflict(format!(
                "there is a token {:?} already",
                token.name.as_str()
            ))
            .hint(format!("mcp-platform token revoke {}", token.name)));
        }
        tokens.push(token);
        Ok(())
    })?;
    Ok(Secret::new(text))
}

/// Takes a token out of the file. Whoever holds it is refused from the next request on.
///
/// # Errors
/// There is none of that name, or the file cannot be written.
pub fn revoke(path: &Path, name: &Name) -> Result<()> {
    change(path, |tokens| {
        let before = tokens.len();
        tokens.retain(|token| &token.name != name);
        if tokens.len() == before {
            return Err(
                Error::not_found(format!("there is no token {:?}", name.as_str()))
                    .hint("mcp-platform token list"),
            );
        }
        Ok(())
    })
}

/// Reads, changes and swaps the file, one at a time.
fn change(path: &Path, edit: impl FnOnce(&mut Vec<Token>) -> Result<()>) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::precondition(format!("{}: {error}", path.display()))
            .hint("see to its rights and its room, or name another file with --tokens")
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(PathBuf::from(lock_path))
        .map_err(failed)?;
    let _held = nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive)
        .map_err(|(_, error)| failed(error.into()))?;
    let mut tokens = read(path)?.unwrap_or_default();
    edit(&mut tokens)?;
    let text = toml_text(&tokens)?;
    let mut file = tempfile::Builder::new()
        .prefix(".tokens-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(failed)?;
    // The file itself: the wrapper would name the temporary one.
    let written = file.as_file_mut().write_all(text.as_bytes());
    written.map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The file's text. Every value is a word, a number or a time, so quoting is all that is needed.
fn toml_text(tokens: &[Token]) -> Result<String> {
    let quoted = |text: &str| {
        serde_json::to_string(text).map_err(|error| Error::internal(format!("a word: {error}")))
    };
    let mut text = "# Tokens of mcp-platform, as hashes. Change it with `mcp-platform token`.\n\
                    schema = 1\n"
        .to_owned();
    for token in tokens {
        let namespaces: Vec<String> = token
            .namespaces
            .iter()
            .map(|name| quoted(name.as_str()))
            .collect::<Result<_>>()?;
        text.push_str("\n[[token]]\n");
        text.push_str(&format!("name = {}\n", quoted(token.name.as_str())?));
        text.push_str(&format!("role = {}\n", quoted(token.role.word())?));
        text.push_str(&format!("namespaces = [{}]\n", namespaces.join(", ")));
        text.push_str(&format!(
            "created = {}\n",
            quoted(&token.created.to_string())?
        ));
        if let Some(expires) = token.expires {
            text.push_str(&format!("expires = {}\n", quoted(&expires.to_string())?));
        }
        text.push_str(&format!("sha256 = {}\n", quoted(&token.sha256)?));
    }
    Ok(text)
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token that a text is, when it is one and good now. Looks at every one of them, whatever it
/// finds, so that the time says nothing.
pub fn find<'a>(tokens: &'a [Token], text: &str, now: Timestamp) -> Option<&'a Token> {
    let given = hash(text);
    let mut found = None;
    for token in tokens {
        let same: Choice = token.sha256.as_bytes().ct_eq(given.as_bytes());
        if bool::from(same) {
            found = Some(token);
        }
    }
    found.filter(|token| token.is_good(now))
}

/// What tells one state of the file from another.
type Stamp = Option<(u64, u64, i64, i64)>;

/// What was read, and when; no tokens when there was no file.
#[derive(Debug)]
struct Kept {
    stamp: Stamp,
    tokens: Option<Arc<Vec<Token>>>,
}

/// The file of tokens as it is now: read again whenever it changed, so that a revoked token is
/// refused at once.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<Kept>>,
}

impl TokenFile {
    /// The file at a path; it need not be there.
    pub fn new(path: PathBuf) -> TokenFile {
        TokenFile {
            path,
            read: Mutex::new(None),
        }
    }

    /// Its tokens; none when there is no file.
    ///
    /// # Errors
    /// It cannot be read: nobody may come in then.
    pub fn tokens(&self) -> Result<Option<Arc<Vec<Token>>>> {
        let stamp = std::fs::metadata(&self.path).ok().map(|metadata| {
            (
                metadata.ino(),
                metadata.size(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            )
        });
        let mut kept = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = kept.as_ref()
            && present.stamp == stamp
        {
            return Ok(present.tokens.clone());
        }
        *kept = None;
        let tokens = read(&self.path)?.map(Arc::new);
        *kept = Some(Kept {
            stamp,
            tokens: tokens.clone(),
        });
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str) -> Token {
        Token {
            name: Name::label(name).unwrap(),
            role: Role::Operator,
            namespaces: BTreeSet::from([Name::label("team-a").unwrap()]),
            created: Timestamp::UNIX_EPOCH,
            expires: None,
            sha256: String::new(),
        }
    }

    #[test]
    fn a_token_is_found_until_it_is_revoked_and_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/tokens.toml");
        let random = crate::world::random;
        let secret = create(&path, token("one"), &random).unwrap();
        let other = create(&path, token("two"), &random).unwrap();
        assert_ne!(secret.expose(), other.expose());
        assert!(create(&path, token("one"), &random).is_err());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(secret.expose()));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let file = TokenFile::new(path.clone());
        let now = Timestamp::UNIX_EPOCH;
        let tokens = file.tokens().unwrap().unwrap();
        assert_eq!(
            find(&tokens, secret.expose(), now).unwrap().name.as_str(),
            "one"
        );
        assert!(find(&tokens, "mcpp_0", now).is_none());
        assert!(find(&tokens, "", now).is_none());
        revoke(&path, &Name::label("one").unwrap()).unwrap();
        let tokens = file.tokens().unwrap().unwrap();
        assert!(find(&tokens, secret.expose(), now).is_none());
        assert!(find(&tokens, other.expose(), now).is_some());
        assert!(revoke(&path, &Name::label("one").unwrap()).is_err());
    }

    #[test]
    fn an_expired_token_is_none() {
        let mut expired = token("old");
        expired.sha256 = hash("x");
        expired.expires = Some(Timestamp::UNIX_EPOCH);
        assert!(find(&[expired], "x", Timestamp::UNIX_EPOCH).is_none());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        create(&path, token("one"), &crate::world::random).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640))
            .unwrap();
        assert!(read(&path).unwrap_err().message.contains("others"));
    }
}
