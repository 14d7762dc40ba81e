//! What a step says to the runner on its output (`::error file=…::text`), and what must not be
//! shown of it. Pure.

/// What a line of output is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// To be shown.
    Text(String),
    /// `::error::`, `::warning::` or `::notice::`: word, place, message.
    Annotation(&'static str, String, String),
    /// Nothing to show.
    Silent,
}

/// What was said so far.
#[derive(Debug, Default)]
pub struct Output {
    masks: Vec<String>,
    stopped: Option<String>,
    /// Outputs in the old form, `::set-output name=…::`.
    pub outputs: Vec<(String, String)>,
}

const ANNOTATIONS: [&str; 3] = ["error", "warning", "notice"];

impl Output {
    /// Keeps a text from being shown.
    pub fn mask(&mut self, text: &str) {
        for line in text.lines().chain([text]) {
            let line = line.trim();
            if !line.is_empty() && !self.masks.iter().any(|mask| mask == line) {
                self.masks.push(line.to_owned());
            }
        }
        // The longest first: a text may be part of another.
        self.masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
    }

    /// A text with everything that must not be shown blotted out.
    pub fn masked(&self, text: &str) -> String {
        let blot = |text: String, mask: &String| text.replace(mask.as_str(), "***");
        self.masks.iter().fold(text.to_owned(), blot)
    }

    /// A new step: commands are heard again.
    pub fn next_step(&mut self) {
        self.stopped = None;
        self.outputs.clear();
    }

    /// Takes one line as the step printed it.
    pub fn take(&mut self, line: &str) -> Line {
        let line = without_colour(line);
        let command = parse(&line);
        if let Some(token) = &self.stopped {
            if command.as_ref().is_some_and(|command| command.0 == *token) {
                self.stopped = None;
                return Line::Silent;
            }
            return Line::Text(self.masked(&line));
        }
        let Some((name, properties, message)) = command else {
            return Line::Text(self.masked(&line));
        };
        if let Some(word) = ANNOTATIONS.iter().find(|word| **word == name) {
            let place = self.masked(&place(&properties));
            return Line::Annotation(word, place, self.masked(&message));
        }
        match name.as_str() {
            "add-mask" => self.mask(&message),
            "stop-commands" => self.stopped = Some(message),
            "set-output" => {
                let name = properties.into_iter().find(|(key, _)| key == "name");
                self.outputs.extend(name.map(|(_, name)| (name, message)));
            }
            "group" => return Line::Text(self.masked(&message)),
            "endgroup" | "debug" | "echo" | "add-matcher" | "remove-matcher" | "save-state" => {}
            _ => return Line::Text(self.masked(&line)),
        }
        Line::Silent
    }
}

type Command = (String, Vec<(String, String)>, String);

/// `::name key=value,key=value::message`
fn parse(line: &str) -> Option<Command> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    if name.is_empty() {
        return None;
    }
    let properties = properties.split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = decoded(value).replace("%3A", ":").replace("%2C", ",");
        Some((key.trim().to_owned(), value))
    });
    Some((name.to_owned(), properties.collect(), decoded(message)))
}

fn decoded(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}

fn place(properties: &[(String, String)]) -> String {
    let of = |key: &str| properties.iter().find(|(own, _)| own == key);
    let parts = ["file", "line", "col"].map(|key| of(key).map(|(_, value)| value.as_str()));
    parts.into_iter().flatten().collect::<Vec<&str>>().join(":")
}

/// A line as it is left on a terminal, without its colours.
fn without_colour(line: &str) -> String {
    let line = line.trim_end_matches('\r');
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut plain = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard() {
        let mut output = Output::default();
        let text = |text: &str| Line::Text(text.to_owned());
        let mut check =
            |line: &str, expected: Line| assert_eq!(output.take(line), expected, "{line}");
        check("plain", text("plain"));
        check("\u{1b}[1;32mgreen\u{1b}[0m", text("green"));
        check("10%\r20%\r", text("20%"));
        check("::add-mask::hush", Line::Silent);
        check("say hush", text("say ***"));
        let error = Line::Annotation("error", "a.py:3:7".to_owned(), "*** is\nwrong".to_owned());
        check("::error file=a.py,line=3,col=7::hush is%0Awrong", error);
        check("::stop-commands::token", Line::Silent);
        check("::add-mask::plain", text("::add-mask::plain"));
        check("::token::", Line::Silent);
        check("plain", text("plain"));
        check("::group::Part", text("Part"));
        check("::unknown::x", text("::unknown::x"));
        check("a::b::c", text("a::b::c"));
        check("::set-output name=x::1", Line::Silent);
        assert_eq!(output.outputs, [("x".to_owned(), "1".to_owned())]);
        output.mask("hu");
        assert_eq!(output.masked("hush hu"), "*** ***");
    }
}
