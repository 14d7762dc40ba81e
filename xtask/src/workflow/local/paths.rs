//! Which files the patterns of artifacts and of `hashFiles` mean. Pure: the files are handed in.

use camino::{Utf8Path, Utf8PathBuf};

/// Patterns, one a line; the last that fits a file decides, and `!` takes files away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns(Vec<(bool, String)>);

impl Patterns {
    /// Reads patterns; `root` is what absolute ones are held against.
    pub fn parse(text: &str, root: &Utf8Path) -> Patterns {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let patterns = lines.map(|line| {
            let (takes, pattern) = match line.strip_prefix('!') {
                Some(pattern) => (false, pattern.trim()),
                None => (true, line),
            };
            let inside = Utf8Path::new(pattern).strip_prefix(root);
            let pattern = inside.map_or(pattern, Utf8Path::as_str);
            (takes, plain(pattern))
        });
        Patterns(patterns.collect())
    }

    /// Whether a path from the root is meant. A pattern that names a folder means all in it.
    pub fn take(&self, path: &Utf8Path) -> bool {
        let path = path.as_str();
        let fits = |pattern: &str| {
            pattern.is_empty()
                || fast_glob::glob_match(pattern, path)
                || fast_glob::glob_match(format!("{pattern}/**"), path)
        };
        let decides = self.0.iter().rev().find(|(_, pattern)| fits(pattern));
        decides.is_some_and(|(takes, _)| *takes)
    }

    /// Where the patterns look: each as far as it is a plain path.
    pub fn roots(&self) -> Vec<Utf8PathBuf> {
        let taking = self.0.iter().filter(|(takes, _)| *takes);
        taking
            .map(|(_, pattern)| {
                let plain = pattern
                    .split('/')
                    .take_while(|part| !part.contains(['*', '?', '[']));
                plain.collect()
            })
            .collect()
    }
}

/// Without `./` and without a slash at the end.
fn plain(pattern: &str) -> String {
    let parts = pattern
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    let plain = parts.collect::<Vec<&str>>().join("/");
    match pattern.starts_with('/') {
        true => format!("/{plain}"),
        false => plain,
    }
}

/// The deepest folder that holds all of these paths.
pub fn shared(paths: &[Utf8PathBuf]) -> Utf8PathBuf {
    let Some((first, rest)) = paths.split_first() else {
        return Utf8PathBuf::new();
    };
    let holds = |folder: &&Utf8Path| rest.iter().all(|path| path.starts_with(folder));
    let found = first.ancestors().find(holds);
    found.map(Utf8Path::to_path_buf).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_files() {
        let check = |text: &str, path: &str, expected: bool| {
            let patterns = Patterns::parse(text, Utf8Path::new("/work"));
            assert_eq!(
                patterns.take(Utf8Path::new(path)),
                expected,
                "{text} {path}"
            );
        };
        check("dist", "dist/a/b", true);
        check("./dist/", "dist/a", true);
        check("dist/*.vsix", "dist/a.vsix", true);
        check("dist/*.vsix", "dist/a/b.vsix", false);
        check("**/*.lock", "Cargo.lock", true);
        check("**/*.lock", "a/b/c.lock", true);
        check("/work/dist", "dist/a", true);
        check("dist\n!dist/*.txt", "dist/a.txt", false);
        check("dist\n!dist/*.txt", "dist/a.md", true);
        check(".", "a/b", true);
        check("other", "dist/a", false);
    }

    #[test]
    fn artifacts_begin_at_what_paths_share() {
        let check = |text: &str, expected: &str| {
            let roots = Patterns::parse(text, Utf8Path::new("/work")).roots();
            assert_eq!(shared(&roots), Utf8Path::new(expected), "{text}");
        };
        check("dist", "dist");
        check("dist/*.vsix", "dist");
        check("a/b/c\na/b/d/*.x", "a/b");
        check("a\nb", "");
        check("**/x", "");
    }
}
