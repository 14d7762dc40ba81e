//! A file that an image's recipe copies or installs from and that is not there.

use super::Rule;
use crate::inspect::docker::Dockerfile;
use crate::inspect::repository::file_name;
use crate::inspect::{Facts, Findings, Stage};

/// The rule.
pub static RULE: Rule = Rule {
    id: "missing-copy",
    stage: Stage::Deploy,
    title: "Every file that a Dockerfile copies or installs from exists",
    why: "the image cannot be built",
    remedy: "add the file, or correct the path; it starts at the build context",
    look,
};

fn look(facts: &Facts<'_>, found: &mut Findings) {
    let elsewhere: Vec<String> = built_elsewhere(facts).collect();
    for file in &facts.dockerfiles {
        let mut contexts = contexts(facts, file);
        contexts.extend_from_slice(&elsewhere);
        for one in &file.instructions {
            if matches!(one.word.as_str(), "COPY" | "ADD") {
                for source in sources(&one.words()) {
                    if !contexts
                        .iter()
                        .any(|context| is_there(facts, context, &source))
                    {
                        found.breaks(
                            file.path,
                            one.line,
                            format!("{} {source}: there is no such file", one.word),
                        );
                    }
                }
            } else if one.word == "RUN" {
                for wanted in requirements(&one.rest) {
                    let name = file_name(wanted);
                    let comes = file.instructions.iter().any(|other| {
                        let makes = other.word == "RUN"
                            && other.rest.matches(name).count() > usize::from(other == one);
                        makes
                            || (matches!(other.word.as_str(), "COPY" | "ADD")
                                && other.rest.contains(name)
                                && other.rest.contains("--from"))
                    });
                    let exists = facts
                        .repository
                        .files
                        .iter()
                        .any(|path| file_name(path) == name);
                    if !comes && !exists && !wanted.contains('$') {
                        found.breaks(
                            file.path,
                            one.line,
                            format!(
                                "installs from {wanted}, and there is no {name} in this repository"
                            ),
                        );
                    }
                }
            }
        }
    }
}

/// The folders that the recipe may be built in: its own, all above it, and what Compose says.
fn contexts(facts: &Facts<'_>, file: &Dockerfile<'_>) -> Vec<String> {
    let mut contexts = vec![file.folder.to_owned()];
    let mut folder = file.folder;
    while !folder.is_empty() {
        folder = crate::inspect::repository::folder_of(folder);
        contexts.push(folder.to_owned());
    }
    for (path, _, service) in facts.compose() {
        let build = service.get("build");
        let named = build.and_then(|build| build.text().or_else(|| build.text_of("context")));
        let folder = crate::inspect::repository::folder_of(path);
        contexts.extend(named.and_then(|named| crate::inspect::repository::beside(folder, named)));
    }
    contexts
}

/// The folders that workflows, Makefiles and scripts name where they build images.
fn built_elsewhere<'facts>(facts: &'facts Facts<'_>) -> impl Iterator<Item = String> + 'facts {
    let texts = facts.repository.texts.iter().filter(|(path, _)| {
        let end = path.rsplit_once('.').map_or("", |(_, end)| end);
        file_name(path) == "Makefile" || matches!(end, "yml" | "yaml" | "sh" | "json")
    });
    let lines = texts.flat_map(|(_, text)| text.lines());
    let building = lines.filter(|line| {
        let line = line.trim_start().trim_start_matches("- ");
        line.starts_with("context:") || BUILDING.iter().any(|words| line.contains(words))
    });
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '&');
    let words = building.flat_map(move |line| line.split(ends));
    let bare = words.map(|word| word.trim_start_matches("./").trim_end_matches('/'));
    bare.filter(|word| facts.repository.folders.contains(*word))
        .map(str::to_owned)
}

/// How programs that build images are called.
const BUILDING: [&str; 4] = ["docker build", "buildx build", "podman build", "buildah b"];

/// What is copied from the context, as far as it is said plainly.
fn sources(words: &[String]) -> Vec<String> {
    if words
        .iter()
        .any(|word| word.starts_with("--from") || word.starts_with("<<"))
    {
        return Vec::new();
    }
    let plain: Vec<&String> = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let Some((_, sources)) = plain.split_last() else {
        return Vec::new();
    };
    let is_plain = |word: &&&String| {
        !word.contains(['$', '[', '?']) && !word.contains("://") && !word.starts_with("git@")
    };
    sources
        .iter()
        .filter(is_plain)
        .map(|word| (**word).clone())
        .collect()
}

fn is_there(facts: &Facts<'_>, context: &str, source: &str) -> bool {
    let plain = source.trim_start_matches('/').trim_start_matches("./");
    let joined = match context {
        "" => plain.to_owned(),
        context => format!("{context}/{plain}"),
    };
    if plain.is_empty() || plain == "." || facts.repository.is_made(plain) {
        return true;
    }
    match joined.split_once('*') {
        None => facts.repository.has(&joined),
        Some((start, _)) => facts
            .repository
            .files
            .range(start.to_owned()..)
            .next()
            .is_some_and(|path| path.starts_with(start)),
    }
}

/// What `pip install -r` reads.
fn requirements(command: &str) -> Vec<&str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let installs = words.contains(&"install");
    let follows = words
        .windows(2)
        .filter(|pair| installs && matches!(pair[0], "-r" | "--requirement"));
    follows
        .map(|pair| pair[1].trim_matches(['"', '\'', ';']))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::tests::check;

    fn of(text: &str, expected: &[&str]) {
        let files = [
            ("docker/Dockerfile", text),
            ("pyproject.toml", ""),
            ("src/a.py", ""),
            ("docker/run.sh", ""),
        ];
        check(&RULE, &files, expected);
    }

    #[test]
    fn what_is_there_or_made_is_fine() {
        of(
            "FROM a\nCOPY pyproject.toml src/ ./\nCOPY run.sh /\nCOPY . .\nCOPY pyproject.toml poetry.lock* ./\n",
            &["breaks docker/Dockerfile:5"],
        );
        of(
            "FROM a\nCOPY --from=b /x/gone /\nCOPY --chown=1 src /a\nADD https://a.example/x /\nCOPY $X /\nCOPY dist/*.whl /\nCOPY *.toml /\n",
            &[],
        );
        of(
            "FROM a\nRUN poetry export -o requirements.txt\nRUN pip install -r requirements.txt\n",
            &[],
        );
        of(
            "FROM a\nRUN poetry export -o r.txt && pip install -r r.txt\n",
            &[],
        );
    }

    #[test]
    fn a_folder_that_a_build_names_is_a_context() {
        let check_with = |path: &str, text: &str, expected: &[&str]| {
            let files = [
                ("docker/Dockerfile", "FROM a\nCOPY main.py /\n"),
                ("server/main.py", ""),
                (path, text),
            ];
            check(&RULE, &files, expected);
        };
        let build = "image:\n\tdocker build -f docker/Dockerfile ./server/\n";
        check_with("Makefile", build, &[]);
        let step = "a:\n  - with:\n      context: ./server\n";
        check_with(".github/workflows/image.yml", step, &[]);
        let expected = ["breaks docker/Dockerfile:2"];
        check_with("Makefile", "test:\n\tpytest server\n", &expected);
        check_with("Makefile", "image:\n\tdocker build .\n", &expected);
    }

    #[test]
    fn what_is_nowhere_is_named() {
        of("FROM a\nCOPY gone.txt /\n", &["breaks docker/Dockerfile:2"]);
        of(
            "FROM a\nCOPY [\"src\", \"gone\", \"/\"]\n",
            &["breaks docker/Dockerfile:2"],
        );
        of(
            "FROM a\nRUN x && \\\n  pip install -r /app/requirements.txt\n",
            &["breaks docker/Dockerfile:2"],
        );
    }
}
