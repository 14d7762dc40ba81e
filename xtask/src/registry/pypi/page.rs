//! The page of a project on a simple index, as JSON or as HTML. Pure.
//!
//! Sources: PyPA "Simple repository API" (PEP 503, 691); file names: PEP 427, PEP 625.

use serde_json::Value;
use url::Url;

use crate::artifact::Digest;
use crate::error::{Error, Result};

/// A file that a page lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Where it is, absolute.
    pub url: String,
    /// Its digest, when the page states it.
    pub sha256: Option<Digest>,
}

/// Reads a page from its address, content type and bytes.
///
/// # Errors
/// It is neither of the two forms.
pub fn read(address: &str, content_type: &str, bytes: &[u8]) -> Result<Vec<File>> {
    let base = Url::parse(address)
        .map_err(|cause| Error::failure(format!("{address}: no address: {cause}")))?;
    match content_type.contains("json") {
        true => json(&base, bytes),
        false => {
            let text = String::from_utf8_lossy(bytes);
            let files = html(&base, &text);
            match files.is_empty() && !is_index(&text) {
                // A page to log in at, say, is no index without files.
                true => Err(
                    Error::failure(format!("{base}: a page that lists nothing")).hint(
                        "is this the address of a simple index? a proxy may answer in its place",
                    ),
                ),
                false => Ok(files),
            }
        }
    }
}

fn json(base: &Url, bytes: &[u8]) -> Result<Vec<File>> {
    let wrong = |what: String| {
        Error::failure(format!("{base}: {what}")).hint("is this the address of a simple index?")
    };
    let page: Value = serde_json::from_slice(bytes).map_err(|cause| wrong(cause.to_string()))?;
    let entries = page["files"].as_array();
    let entries = entries.ok_or_else(|| wrong("lists no files".to_owned()))?;
    let file = |entry: &Value| {
        let digest = entry["hashes"]["sha256"].as_str();
        Some(File {
            name: entry["filename"].as_str()?.to_owned(),
            url: base.join(entry["url"].as_str()?).ok()?.into(),
            sha256: digest.and_then(|digest| Digest::parse(digest).ok()),
        })
    };
    Ok(entries.iter().filter_map(file).collect())
}

/// Every link whose text is a file name; what else is in the page does not matter.
fn html(base: &Url, text: &str) -> Vec<File> {
    let mut files = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("<a ").or_else(|| rest.find("<A ")) {
        let (_, tag) = rest.split_at(start + 3);
        let Some((attributes, after)) = tag.split_once('>') else {
            break;
        };
        let Some((name, after)) = after
            .split_once("</")
            .map(|(name, after)| (name.trim(), after))
        else {
            break;
        };
        rest = after;
        let Some(href) = attribute(attributes, "href") else {
            continue;
        };
        let Ok(mut url) = base.join(&unescape(href)) else {
            continue;
        };
        let digest = url
            .fragment()
            .and_then(|fragment| fragment.strip_prefix("sha256="));
        let sha256 = digest.and_then(|digest| Digest::parse(digest).ok());
        url.set_fragment(None);
        files.push(File {
            name: unescape(name),
            url: url.into(),
            sha256,
        });
    }
    files
}

/// Whether a page without a file is one of an index: by its version (PEP 629), or by the words
/// that indexes begin their pages with.
fn is_index(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["pypi:repository-version", "links for", "simple index"]
        .iter()
        .any(|mark| text.contains(mark))
}

fn attribute<'tag>(attributes: &'tag str, name: &str) -> Option<&'tag str> {
    let (_, rest) = attributes.split_once(&format!("{name}="))?;
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    rest.get(1..)?.split(quote).next()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#43;", "+")
        .replace("&amp;", "&")
}

/// The file of a name. Names that differ only in how they are spelled are one to an index.
pub fn find<'page>(files: &'page [File], name: &str) -> Option<&'page File> {
    let exact = files.iter().find(|file| file.name == name);
    exact.or_else(|| {
        let wanted = canonical(name);
        files.iter().find(|file| canonical(&file.name) == wanted)
    })
}

/// A file name without what may be spelled in several ways: case, and the separators in names.
fn canonical(name: &str) -> String {
    let (stem, ending) = ["tar.gz", "whl", "zip"]
        .iter()
        .find_map(|ending| Some((name.strip_suffix(&format!(".{ending}"))?, *ending)))
        .unwrap_or((name, ""));
    let (project, rest) = match ending {
        // An sdist is NAME-VERSION; old names have hyphens of their own.
        "tar.gz" | "zip" => stem.rsplit_once('-').unwrap_or((stem, "")),
        _ => stem.split_once('-').unwrap_or((stem, "")),
    };
    let project = crate::name::normalize(project);
    format!("{project}/{}.{ending}", rest.to_ascii_lowercase())
}

/// Whether an index says that it has a file of this name.
pub fn says_exists(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["already exists", "already been taken", "already uploaded"]
        .iter()
        .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "http://127.0.0.1:1/simple/demo/";

    fn digest(of: &str) -> Digest {
        Digest::of(of.as_bytes())
    }

    #[test]
    fn both_forms_say_the_same() {
        let hex = digest("a").hex().to_owned();
        let json = format!(
            "{{\"files\":[{{\"filename\":\"demo-1.whl\",\"url\":\"../../f/demo-1.whl\",\
             \"hashes\":{{\"sha256\":\"{hex}\"}}}},{{\"filename\":\"x\",\"url\":\"http://o/x\",\
             \"hashes\":{{}}}}]}}"
        );
        let html = format!(
            "<!DOCTYPE html><html><body><h1>Links</h1>\n<a href=\"../../f/demo-1.whl#sha256={hex}\" \
             data-requires-python=\"&gt;=3.10\">demo-1.whl</a><br/>\n\
             <a rel='x' href='http://o/x'> x </a></body></html>"
        );
        let expected = vec![
            File {
                name: "demo-1.whl".into(),
                url: "http://127.0.0.1:1/f/demo-1.whl".into(),
                sha256: Some(digest("a")),
            },
            File {
                name: "x".into(),
                url: "http://o/x".into(),
                sha256: None,
            },
        ];
        let json_type = "application/vnd.pypi.simple.v1+json";
        assert_eq!(read(PAGE, json_type, json.as_bytes()).unwrap(), expected);
        let found = read(PAGE, "text/html; charset=utf-8", html.as_bytes()).unwrap();
        assert_eq!(found, expected);
        assert!(read(PAGE, "application/json", b"{}").is_err());
        assert!(read(PAGE, "application/json", b"<a").is_err());
        assert!(html_is_never_a_panic("<a href=\"x\">y") && html_is_never_a_panic("<a <a >"));
    }

    fn html_is_never_a_panic(text: &str) -> bool {
        read(PAGE, "text/html", text.as_bytes()).is_ok() || !is_index(text)
    }

    #[test]
    fn a_page_of_a_proxy_is_no_index_without_files() {
        let read = |text: &str| read(PAGE, "text/html", text.as_bytes());
        assert_eq!(read("<h1>Links for demo</h1>").unwrap(), []);
        let error = read("<title>Log in</title>").unwrap_err();
        assert!(error.message.contains("lists nothing"), "{error}");
    }

    #[test]
    fn an_index_says_in_words_that_a_name_is_taken() {
        assert!(says_exists("File already exists (x)") && !says_exists("Forbidden"));
    }

    #[test]
    fn a_name_is_one_however_it_is_spelled() {
        let file = |name: &str| File {
            name: name.into(),
            url: String::new(),
            sha256: None,
        };
        let check = |listed: &str, wanted: &str, expected: bool| {
            let files = [file(listed)];
            assert_eq!(
                find(&files, wanted).is_some(),
                expected,
                "{listed} {wanted}"
            );
        };
        check("a_b-1.0.tar.gz", "a_b-1.0.tar.gz", true);
        check("A-b-1.0.tar.gz", "a_b-1.0.tar.gz", true);
        check("a.b-1.0-py3-none-any.whl", "a_b-1.0-py3-none-any.whl", true);
        check("a_b-1.0-py3-none-any.whl", "a_b-1.0.tar.gz", false);
        check("a_b-1.1.tar.gz", "a_b-1.0.tar.gz", false);
    }
}
