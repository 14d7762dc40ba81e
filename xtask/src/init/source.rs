//! Finds in Python sources which tools an MCP server offers, by reading, not by running. Pure.
//!
//! Known are decorators (`@mcp.tool()`, `@server.tool("name")`) and declarations
//! (`Tool(name="…", inputSchema={…})`), as the official SDK and FastMCP have them. What is made
//! in another way is not found.

/// A tool in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The name that clients call.
    pub name: String,
    /// The parameters without a default.
    pub required: Vec<String>,
    /// Where it is: `path:line`.
    pub place: String,
}

/// Words of tools that change something; none is called unasked.
const CHANGING: [&str; 34] = [
    "add",
    "apply",
    "cancel",
    "clean",
    "clear",
    "close",
    "commit",
    "create",
    "delete",
    "deploy",
    "drop",
    "edit",
    "execute",
    "exec",
    "insert",
    "install",
    "interrupt",
    "kill",
    "merge",
    "move",
    "post",
    "publish",
    "purge",
    "push",
    "remove",
    "reset",
    "restart",
    "run",
    "save",
    "send",
    "set",
    "shutdown",
    "stop",
    "write",
];

/// Words of tools that only look.
const LOOKING: [&str; 16] = [
    "ping", "health", "status", "version", "info", "list", "get", "show", "describe", "is", "has",
    "count", "echo", "search", "read", "help",
];

impl Tool {
    fn words(&self) -> Vec<String> {
        let mut words = vec![String::new()];
        for character in self.name.chars() {
            let begins = character.is_uppercase() || !character.is_alphanumeric();
            if begins {
                words.push(String::new());
            }
            if let (true, Some(word)) = (character.is_alphanumeric(), words.last_mut()) {
                word.extend(character.to_lowercase());
            }
        }
        words
    }

    fn has_word(&self, known: &[&str]) -> bool {
        self.words()
            .iter()
            .any(|word| known.contains(&word.as_str()))
    }

    /// Whether it may be called to see that the server works: it needs nothing, and its name
    /// does not say that it changes something.
    pub fn is_harmless(&self) -> bool {
        self.required.is_empty() && !self.has_word(&CHANGING)
    }

    /// Whether its name says that it only looks.
    pub fn only_looks(&self) -> bool {
        self.is_harmless() && self.has_word(&LOOKING)
    }
}

/// The tools of one source, in its order.
pub fn tools(path: &str, text: &str) -> Vec<Tool> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim_start();
        let place = format!("{path}:{number}");
        if trimmed.starts_with('@') {
            let rest = rest_from(text, number);
            found.extend(decorated(trimmed, rest, place));
        } else if let Some(at) = declaration(trimmed) {
            let rest = rest_from(text, number);
            let start = rest.len() - rest.trim_start().len() + at;
            found.extend(declared(rest.get(start..).unwrap_or_default(), place));
        }
    }
    found
}

/// The text from a line on.
fn rest_from(text: &str, number: usize) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n').take(number - 1) {
        at += line.len();
    }
    text.get(at..).unwrap_or_default()
}

fn decorated(line: &str, rest: &str, place: String) -> Option<Tool> {
    let behind = line.strip_prefix('@')?;
    let end = behind.find(|c: char| !(c.is_alphanumeric() || "_.".contains(c)));
    let name = behind.get(..end.unwrap_or(behind.len()))?;
    let (_, last) = name.rsplit_once('.')?;
    if last != "tool" {
        return None;
    }
    let open = rest.find(name)? + name.len();
    let after = rest.get(open..)?;
    let (arguments, behind) = match after.trim_start().starts_with('(') {
        true => inside(after)?,
        false => ("", after),
    };
    // Other decorators may stand between.
    let at = behind.find("def ")?;
    let between = behind.get(..at)?;
    let is_between = between
        .lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with(['@', '#', ')']) || line == "async");
    if !is_between {
        return None;
    }
    let definition = behind.get(at + 4..)?;
    let end = definition.find('(')?;
    let function = definition.get(..end)?.trim();
    let (parameters, _) = inside(definition.get(end..)?)?;
    let named = first_text(arguments).or_else(|| keyword(arguments, "name"));
    Some(Tool {
        name: named.unwrap_or_else(|| function.to_owned()),
        required: required(parameters),
        place,
    })
}

/// Where `Tool(` begins as a word of its own.
fn declaration(line: &str) -> Option<usize> {
    line.match_indices("Tool(").map(|(at, _)| at).find(|at| {
        let before = line.get(..*at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

fn declared(text: &str, place: String) -> Option<Tool> {
    let (arguments, _) = inside(text.get("Tool".len()..)?)?;
    let name = keyword(arguments, "name")?;
    let list = arguments
        .split_once("\"required\"")
        .or_else(|| arguments.split_once("'required'"));
    let list = list.and_then(|(_, list)| {
        let list = list.trim_start().strip_prefix(':')?.trim_start();
        let list = list.strip_prefix('[')?;
        list.split(']').next()
    });
    let required = list.into_iter().flat_map(|list| list.split(','));
    let required = required
        .map(|name| name.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|name| !name.is_empty());
    Some(Tool {
        name,
        required: required.collect(),
        place,
    })
}

/// What is between the first bracket and its partner, and what follows. Texts may hold brackets.
fn inside(text: &str) -> Option<(&str, &str)> {
    let open = text.find('(')?;
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    let mut comment = false;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
        if comment {
            comment = character != '\n';
            continue;
        }
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(mark), _) if mark == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') => comment = true,
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((text.get(open + 1..at)?, text.get(at + 1..)?));
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Splits at commas that are in no bracket and no text.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut quote) = (0_i32, 0, None);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(mark), _) if mark == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// A plain text as the first argument.
fn first_text(arguments: &str) -> Option<String> {
    literal(parts(arguments).first()?)
}

fn keyword(arguments: &str, name: &str) -> Option<String> {
    parts(arguments).into_iter().find_map(|part| {
        let value = part.trim().strip_prefix(name)?.trim_start();
        literal(value.strip_prefix('=')?)
    })
}

/// A text that is written out: no f-string, no expression.
fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    let mark = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = text.strip_prefix(mark)?.strip_suffix(mark)?;
    let plain = !inner.is_empty() && !inner.contains(['"', '\'', '\\', '\n']);
    plain.then(|| inner.to_owned())
}

/// The parameters that a caller must give. The SDK fills in what is annotated as its context.
fn required(parameters: &str) -> Vec<String> {
    let mut required = Vec::new();
    let lines = parameters
        .lines()
        .map(|line| line.split(" #").next().unwrap_or_default());
    let parameters = lines
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect::<Vec<_>>()
        .join(" ");
    for part in parts(&parameters) {
        let part = part.trim();
        let (name, annotation) = part.split_once(':').unwrap_or((part, ""));
        let name = name.trim();
        let given = name.is_empty()
            || name.starts_with('*')
            || name == "/"
            || ["self", "cls"].contains(&name)
            || parts_default(part)
            || annotation.trim().starts_with("Context")
            || annotation.contains("Depends(");
        if !given {
            required.push(name.to_owned());
        }
    }
    required
}

/// Whether a parameter has a default: `=` outside of brackets.
fn parts_default(part: &str) -> bool {
    let mut depth = 0_i32;
    part.chars().any(|character| {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        character == '=' && depth == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = tools("a.py", text)
            .iter()
            .map(|tool| format!("{}({})", tool.name, tool.required.join(",")))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn decorators() {
        check(
            "@mcp.tool()\ndef one(a: int, b: str = 'x'):\n    pass\n",
            &["one(a)"],
        );
        check(
            "@server.tool\nasync def two() -> str:\n    pass\n",
            &["two()"],
        );
        check("@mcp.tool(\"Given\")\ndef x(): pass\n", &["Given()"]);
        check(
            "@mcp.tool(\n    description='a (b',\n    name=\"three\",\n)\n@other(1)\nasync def x(\n    ctx: Context,  # why, so\n    a: dict[str, int],\n    b: Annotated[int, Field(gt=1)],\n    c: int = 3,\n):\n    pass\n",
            &["three(a,b)"],
        );
        check(
            "    @self.mcp.tool()\n    def inner(self, *, q): pass\n",
            &["inner(q)"],
        );
        check("@mcp.tool(name=NAME)\ndef known(): pass\n", &["known()"]);
    }

    #[test]
    fn declarations() {
        check(
            "tools = [types.Tool(name='a', inputSchema={'required': ['x', \"y\"]}),\n  Tool(\n    name=\"b\",\n    inputSchema={'type': 'object'}\n  )]\n",
            &["a(x,y)", "b()"],
        );
        check("class MyTool(name): pass\nCallTool(name='c')\n", &[]);
    }

    #[test]
    fn what_is_no_tool() {
        check("@mcp.resource('x')\ndef one(): pass\n", &[]);
        check("# @mcp.tool()\ndef one(): pass\n", &[]);
        check("@mcp.tool()\nvalue = 1\ndef one(): pass\n", &[]);
        check("@mcp.tool(\ndef one(): pass\n", &[]);
    }

    #[test]
    fn only_what_looks_is_called_unasked() {
        let check = |name: &str, harmless: bool, looks: bool| {
            let tool = Tool {
                name: name.to_owned(),
                required: Vec::new(),
                place: String::new(),
            };
            assert_eq!(
                (tool.is_harmless(), tool.only_looks()),
                (harmless, looks),
                "{name}"
            );
        };
        check("list_notes", true, true);
        check("listNotes", true, true);
        check("ping", true, true);
        check("reset", false, false);
        check("get_and_delete", false, false);
        check("weather", true, false);
    }
}
