//! All templates that there are: those in the binary, then those of folders, which win.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{Error, Result};

use super::{Template, parse};

/// Templates by their id.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// The templates.
    pub templates: BTreeMap<String, Template>,
}

/// Those in the binary.
const BUILTIN: [(&str, &str); 2] = [
    ("echo", include_str!("../../templates/echo/template.toml")),
    (
        "mcp-server-jupyter",
        include_str!("../../templates/mcp-server-jupyter/template.toml"),
    ),
];

/// The templates in the binary.
///
/// # Errors
/// One is wrong, which a test rules out.
pub fn builtin() -> Result<Catalogue> {
    let mut catalogue = Catalogue::default();
    for (id, text) in BUILTIN {
        let template = parse(text, &format!("the built-in template {id}"))?;
        catalogue.templates.insert(template.id.clone(), template);
    }
    Ok(catalogue)
}

impl Catalogue {
    /// One template.
    ///
    /// # Errors
    /// There is none of that id; the message names those that there are.
    pub fn get(&self, id: &str) -> Result<&Template> {
        self.templates.get(id).ok_or_else(|| {
            let shown: String = id.chars().take(80).collect();
            let known: Vec<&str> = self.templates.keys().map(String::as_str).collect();
            Error::not_found(format!("there is no template {shown:?}"))
                .hint(format!("the templates are {}", known.join(", ")))
        })
    }

    /// Adds the templates of a folder: every folder in it that has a `template.toml`.
    ///
    /// # Errors
    /// The folder cannot be read, has no template, or one of them is wrong.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let unreadable =
            |error: std::io::Error| Error::invalid(format!("{}: {error}", folder.display()));
        let mut found = 0;
        let mut entries: Vec<_> = std::fs::read_dir(folder)
            .map_err(unreadable)?
            .collect::<std::io::Result<_>>()
            .map_err(unreadable)?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let file = entry.path().join("template.toml");
            if !file.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&file)
                .map_err(|error| Error::invalid(format!("{}: {error}", file.display())))?;
            let template = parse(&text, &file.display().to_string())?;
            if entry.file_name().to_str() != Some(template.id.as_str()) {
                return Err(Error::invalid(format!(
                    "{}: the id {:?} is not the name of its folder",
                    file.display(),
                    template.id
                )));
            }
            self.templates.insert(template.id.clone(), template);
            found += 1;
        }
        if found == 0 {
            return Err(
                Error::invalid(format!("{} has no template in it", folder.display()))
                    .hint("a template is a folder with `template.toml` in it"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_is_good() {
        let catalogue = builtin().unwrap();
        assert_eq!(catalogue.templates.len(), BUILTIN.len());
        for (id, _) in BUILTIN {
            assert_eq!(catalogue.get(id).unwrap().id, id);
        }
    }
}
