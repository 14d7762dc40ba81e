//! Shell scripts, understood well enough to say which commands they run: comments, quotes, line
//! continuations, here-documents, `&&`, pipes, substitutions, prefixes such as `sudo`.
//!
//! It is no interpreter: loops and conditions are passed through, and what a variable holds is
//! not known. `${{ … }}` is one piece of a word, whatever is in it.

mod scan;

/// How a command is joined to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// The line or the script ends, or `;`.
    Next,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|` or `|&`
    Pipe,
    /// `&`
    Background,
    /// `)` or `}`
    Close,
}

/// One word of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text without quotes and escapes.
    pub text: String,
    /// Where it begins in the script, in bytes.
    pub offset: usize,
}

/// One simple command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Variables set for it, `NAME=value`.
    pub assignments: Vec<Word>,
    /// The program and its arguments.
    pub words: Vec<Word>,
    /// The files that its output goes to.
    pub outputs: Vec<Word>,
    /// What stands before it.
    pub before: Joint,
    /// What stands behind it.
    pub after: Joint,
    /// In how many groups and substitutions it lies.
    pub depth: usize,
    /// Whether a group `{` or `(` opens with it.
    pub opens: bool,
    /// Whether a keyword decides by its result: `if`, `while`, `until`, `!`.
    pub tested: bool,
}

impl Command {
    /// Where it begins in the script.
    pub fn offset(&self) -> usize {
        let first = self.assignments.first().or(self.words.first());
        first.map_or(0, |word| word.offset)
    }

    /// The program and its arguments as texts, without `sudo`, `env A=b`, `exec` and the like.
    pub fn called(&self) -> Vec<&str> {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        let skip = prefix(&words);
        words[skip..].to_vec()
    }

    /// The same as words with their places.
    pub fn called_words(&self) -> &[Word] {
        let skip = self.words.len() - self.called().len();
        &self.words[skip..]
    }

    /// The command as one line.
    pub fn shown(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        crate::printable::line(&words.join(" "), 80)
    }
}

/// Programs that run another one, and their options that take a value.
const PREFIXES: [(&str, &[&str]); 13] = [
    ("sudo", &["-u", "-g", "--user", "--group"]),
    ("env", &["-u", "--unset", "-C", "--chdir"]),
    ("exec", &["-a"]),
    ("command", &[]),
    ("builtin", &[]),
    ("nohup", &[]),
    ("nice", &["-n"]),
    ("time", &[]),
    ("timeout", &["-s", "-k", "--signal", "--kill-after"]),
    ("stdbuf", &["-o", "-e", "-i"]),
    ("xvfb-run", &["-s", "-n", "--server-args", "--server-num"]),
    ("dbus-run-session", &["--"]),
    ("retry", &["-t", "-d"]),
];

/// How many words stand before the real program.
fn prefix(words: &[&str]) -> usize {
    let mut at = 0;
    while let Some((name, with_value)) = PREFIXES
        .iter()
        .find(|(name, _)| words.get(at) == Some(name))
    {
        at += 1;
        while let Some(word) = words.get(at) {
            let is_assignment = *name == "env" && word.contains('=') && !word.starts_with('-');
            if with_value.contains(word) {
                at += 2;
            } else if word.starts_with('-') || is_assignment {
                at += 1;
            } else {
                break;
            }
        }
        if *name == "timeout" {
            at += 1;
        }
    }
    at.min(words.len())
}

/// Every command of a script in the order of the text, those of substitutions behind the
/// command that they belong to.
pub fn commands(script: &str) -> Vec<Command> {
    scan::commands(script)
}

/// The file name of a program: `./scripts/x.sh` is `x.sh`, `python3.11` stays.
pub fn program_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Whether it is a Python interpreter: `python`, `python3`, `python3.12`, `py`.
pub fn is_python(word: &str) -> bool {
    let name = program_name(word);
    let rest = name
        .strip_prefix("python")
        .or_else(|| (name == "py").then_some(""));
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, expected: &[&str]) {
        let found: Vec<String> = commands(script)
            .iter()
            .map(|command| command.called().join(" "))
            .collect();
        assert_eq!(found, expected, "{script}");
    }

    #[test]
    fn commands_are_found_among_everything_else() {
        check("a b # c\n# d\ne", &["a b", "e"]);
        check("a 'b c' \"d $e\" f\\ g", &["a b c d $e f g"]);
        check("a \\\n  b\nc", &["a b", "c"]);
        check("a && b || c | d; e & f", &["a", "b", "c", "d", "e", "f"]);
        check("cat > x <<'E'\nnot | a && command\nE\nb", &["cat", "b"]);
        check("cat <<-E | c\n\tx\n\tE\nb", &["cat", "c", "b"]);
        check("if a; then b; else c; fi", &["a", "b", "c"]);
        check("for x in 1 2; do a $x; done", &["a $x"]);
        check("while ! a; do b; done", &["a", "b"]);
        check("{ a; b; }\n(c)", &["a", "b", "c"]);
        check("f() { a; }\nf", &["a", "f"]);
        check("case $x in\n  a) b ;;\n  *) c ;;\nesac", &["b", "c"]);
        check("A=1 B=2 sudo -E env C=3 a b", &["a b"]);
        check("x=$(a b | c) d", &["d", "a b", "c"]);
        check("echo `a b`", &["echo `a b`", "a b"]);
        check(
            "echo ${{ github.x || 'y z' }} b",
            &["echo ${{ github.x || 'y z' }} b"],
        );
        check("timeout 5 a b", &["a b"]);
        check("a 2>&1 >out.txt <in", &["a"]);
        check(
            "echo $((1 + 2)) && [[ a == b ]]",
            &["echo $((1 + 2))", "[[ a == b ]]"],
        );
        check("", &[]);
    }

    #[test]
    fn unfinished_scripts_end() {
        for script in [
            "'a", "\"a", "a $(b", "`", "a <<E\nb", "${{ a", "((((", "a \\", "| | |", "${", "$(",
            "<<", "a >",
        ] {
            commands(script);
            commands(&script.repeat(2_000));
        }
        commands(&"$(".repeat(100_000));
        commands(&"\"$(".repeat(100_000));
    }

    #[test]
    fn joints_and_outputs_are_kept() {
        let found = commands("a || true\nif b; then c > d; fi\ne || { echo; exit 1; }");
        assert_eq!((found[0].after, found[1].before), (Joint::Or, Joint::Or));
        assert!(found[2].tested && !found[3].tested);
        assert_eq!(found[3].outputs[0].text, "d");
        assert!(found[5].opens && found[5].depth == 1 && found[6].depth == 1);
        assert_eq!(commands("ab\ncd")[1].offset(), 3);
    }
}
