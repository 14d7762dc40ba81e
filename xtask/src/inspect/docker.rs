//! The instructions of a Dockerfile.

use super::repository::folder_of;

/// One instruction; continued lines are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins.
    pub line: usize,
    /// Its word, in capitals.
    pub word: String,
    /// What follows.
    pub rest: String,
}

/// A recipe for an image.
#[derive(Debug)]
pub struct Dockerfile<'text> {
    /// Its path.
    pub path: &'text str,
    /// Its folder.
    pub folder: &'text str,
    /// Its instructions.
    pub instructions: Vec<Instruction>,
}

impl<'text> Dockerfile<'text> {
    /// Reads one.
    pub fn read(path: &'text str, text: &'text str) -> Dockerfile<'text> {
        Dockerfile {
            path,
            folder: folder_of(path),
            instructions: instructions(text),
        }
    }

    /// The instructions of the stage that becomes the image.
    pub fn last_stage(&self) -> &[Instruction] {
        let start = self.instructions.iter().rposition(|one| one.word == "FROM");
        &self.instructions[start.unwrap_or(0)..]
    }

    /// Every instruction of a word.
    pub fn all(&self, word: &'static str) -> impl Iterator<Item = &Instruction> {
        self.instructions.iter().filter(move |one| one.word == word)
    }

    /// The last instruction of a word in the last stage.
    pub fn last(&self, word: &str) -> Option<&Instruction> {
        self.last_stage().iter().rev().find(|one| one.word == word)
    }
}

impl Instruction {
    /// The words of what follows, in the form of a shell or of JSON.
    pub fn words(&self) -> Vec<String> {
        if let Ok(words) = serde_json::from_str::<Vec<String>>(self.rest.trim()) {
            return words;
        }
        let plain = |word: &str| word.trim_matches(['"', '\'']).to_owned();
        self.rest.split_whitespace().map(plain).collect()
    }
}

fn instructions(text: &str) -> Vec<Instruction> {
    let mut found: Vec<Instruction> = Vec::new();
    let mut is_continued = false;
    let mut heredoc: Option<String> = None;
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        if let Some(end) = &heredoc {
            if line == end {
                heredoc = None;
            }
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let body = line.trim_end_matches('\\').trim_end();
        if is_continued && let Some(last) = found.last_mut() {
            last.rest.push(' ');
            last.rest.push_str(body);
        } else {
            let (word, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
            found.push(Instruction {
                line: index + 1,
                word: word.to_ascii_uppercase(),
                rest: rest.trim().to_owned(),
            });
        }
        is_continued = line.ends_with('\\');
        if let Some((_, mark)) = line.split_once("<<") {
            let mark = mark.trim_start_matches('-').trim_matches(['"', '\'']);
            let mark: String = mark.chars().take_while(|c| c.is_alphanumeric()).collect();
            heredoc = (!mark.is_empty()).then_some(mark);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_left_out() {
        let text =
            "# x\nfrom a\nRUN b \\\n  # y\n  && c\nRUN <<EOF\nUSER no\nEOF\nCMD [\"d\", \"e f\"]\n";
        let file = Dockerfile::read("Dockerfile", text);
        let found: Vec<(usize, &str, &str)> = file
            .instructions
            .iter()
            .map(|one| (one.line, one.word.as_str(), one.rest.as_str()))
            .collect();
        let expected = [
            (2, "FROM", "a"),
            (3, "RUN", "b && c"),
            (6, "RUN", "<<EOF"),
            (9, "CMD", "[\"d\", \"e f\"]"),
        ];
        assert_eq!(found, expected);
        assert_eq!(file.instructions[3].words(), ["d", "e f"]);
    }
}
