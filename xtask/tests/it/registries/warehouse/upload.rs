//! Uploads, in the order in which the index checks them.

use serde_json::Value;

use super::super::digest::{blake2_256, sha256};
use super::super::form::{self, Field};
use super::super::message::{Asked, Reply};
use super::{File, Warehouse, is_of, normalize, refused};

/// What has to be in every form.
const REQUIRED: [(&str, &str); 4] = [
    ("metadata_version", "Metadata-Version"),
    ("name", "Name"),
    ("version", "Version"),
    ("filetype", "Filetype"),
];

impl Warehouse {
    pub fn upload(&mut self, asked: &Asked) -> Reply {
        match self.uploaded(asked) {
            Ok(()) => Reply::new(200, "").with("content-type", "text/html; charset=UTF-8"),
            Err((status, message)) => refused(asked, status, &message),
        }
    }

    fn uploaded(&mut self, asked: &Asked) -> Result<(), (u16, String)> {
        let bad = |message: &str| (400, message.to_owned());
        let help = |anchor: &str| format!("See {}/help/#{anchor} for more", asked.base());
        let token = asked.basic().filter(|(user, _)| user == "__token__");
        let token = token.map(|(_, token)| token).unwrap_or_default();
        let trusted = self.minted.contains(&token);
        if !trusted && !self.tokens.contains(&token) {
            let text = "Invalid or non-existent authentication information.";
            return Err((403, format!("{text} {} information.", help("invalid-auth"))));
        }
        let fields = form::fields(asked).ok_or_else(|| bad("Error: no form"))?;
        let (mut file, stated) = read(&fields)?;
        if !stated.iter().any(|(_, stated)| stated.is_some()) {
            return Err(bad("Error: Must include at least one message digest."));
        }
        let agrees = |(found, stated): &(&String, Option<String>)| {
            stated.as_ref().is_none_or(|stated| stated == *found)
        };
        let [sha256, blake2] = stated.map(|(_, stated)| stated.map(|text| text.to_lowercase()));
        if ![(&file.sha256, sha256), (&file.blake2, blake2)]
            .iter()
            .all(agrees)
        {
            return Err(bad(
                "The digest supplied does not match a digest calculated from the uploaded file.",
            ));
        }
        let same = |one: &&File| one.name == file.name || one.blake2 == file.blake2;
        if let Some(one) = self.files.iter().find(same) {
            return match one.name == file.name && one.sha256 == file.sha256 {
                // Nothing is stored, nor are attestations that came with it.
                true => Ok(()),
                // Uploaders tell what is there from other failures by how this starts.
                false => Err((
                    400,
                    format!(
                        "File already exists ('{}', with blake2_256 hash '{}'). {} information.",
                        file.name,
                        file.blake2,
                        help("file-name-reuse")
                    ),
                )),
            };
        }
        let released = |one: &&File| is_of(one, &file.project) && one.version == file.version;
        let mut release = self.files.iter().filter(released);
        if self.old && release.clone().next().is_some() {
            return Err(bad(
                "Uploading new files to releases older than 14 days is not allowed.",
            ));
        }
        if self.used.contains(&file.name) {
            let text = "This filename was previously used by a file that has since been deleted. \
                        Use a different version.";
            return Err((
                400,
                format!("{text} {} information.", help("file-name-reuse")),
            ));
        }
        if file.kind == "sdist" && release.any(|one| one.kind == "sdist") {
            return Err(bad("Only one sdist may be uploaded per release."));
        }
        let project = normalize(&file.project).replace('-', "_");
        if file.name.split('-').next() != Some(&project) {
            let own = normalize(&file.project);
            let text = format!("Start filename for '{own}' with '{project}'.");
            return Err((400, text));
        }
        if file.attestations.is_some() && !trusted {
            return Err(bad(
                "Invalid attestations supplied during upload: Attestations are only supported \
                 when using Trusted Publishing",
            ));
        }
        file.hidden = self.visible_after;
        self.stored.push(file.name.clone());
        self.files.push(file);
        Ok(())
    }
}

type Stated = [(&'static str, Option<String>); 2];

/// The file of a form, and the digests that the form states.
fn read(fields: &[Field]) -> Result<(File, Stated), (u16, String)> {
    let text = |name: &str| form::text(fields, name).filter(|text| !text.is_empty());
    let bad = |message: String| (400, message);
    if text("protocol_version").is_some_and(|version| version != "1") {
        return Err(bad("Unknown protocol version.".to_owned()));
    }
    for (name, shown) in REQUIRED {
        if text(name).is_none() {
            return Err(bad(format!(
                "'' is an invalid value for {shown}. Error: This field is required. See \
                 https://packaging.python.org/specifications/core-metadata for more information."
            )));
        }
    }
    let content = fields.iter().find(|field| field.name == "content");
    let content = content.filter(|field| field.file_name.is_some());
    let content = content.ok_or_else(|| bad("Upload payload does not have a file.".to_owned()))?;
    // A part that states no type is plain text to the index's parser (RFC 7578).
    let kind = content.content_type.as_deref().unwrap_or("text/plain");
    if kind.is_empty() || kind.starts_with("image/") {
        return Err(bad("Invalid distribution file.".to_owned()));
    }
    let attestations = match text("attestations") {
        Some(text) => match serde_json::from_str::<Value>(&text) {
            Ok(Value::Array(several)) if !several.is_empty() => Some(Value::Array(several)),
            _ => {
                return Err(bad(
                    "Invalid attestations supplied during upload: Error while decoding the \
                     included attestation"
                        .to_owned(),
                ));
            }
        },
        None => None,
    };
    let plain = fields.iter().filter(|field| field.file_name.is_none());
    let plain = plain.map(|field| {
        let value = String::from_utf8_lossy(&field.value).into_owned();
        (field.name.clone(), value)
    });
    let file = File {
        project: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_default(),
        name: content.file_name.clone().unwrap_or_default(),
        kind: text("filetype").unwrap_or_default(),
        sha256: sha256(&content.value),
        blake2: blake2_256(&content.value),
        bytes: content.value.clone(),
        form: plain.collect(),
        attestations,
        hidden: 0,
    };
    let stated = ["sha256_digest", "blake2_256_digest"].map(|name| (name, text(name)));
    Ok((file, stated))
}
