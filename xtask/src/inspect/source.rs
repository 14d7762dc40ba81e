//! What the sources of a repository mention, in whatever language they are written.

use super::repository::{Repository, docker_name, file_name};

/// The texts of programs: path and text.
pub fn programs(repository: &Repository) -> impl Iterator<Item = (&str, &str)> {
    let all = repository.texts.iter();
    all.filter(|(path, _)| is_program(path))
        .map(|(path, text)| (path.as_str(), text.as_str()))
}

/// Whether a text holds a word; whole repositories go through here, so a library searches.
pub fn holds(text: &str, word: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some()
}

/// Whether a file is a program that may serve requests.
pub fn is_program(path: &str) -> bool {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    matches!(end, "py" | "go" | "ts" | "js" | "mjs" | "cjs")
}

/// Whether some program names this path of a URL, in quotes.
pub fn serves(repository: &Repository, path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let bare = path.trim_matches('/');
    if bare.is_empty() {
        return true;
    }
    // A router may hold the parts of a path apart.
    let last = file_name(bare);
    programs(repository).any(|(_, text)| {
        memchr::memmem::find_iter(text.as_bytes(), last.as_bytes()).any(|at| {
            let byte = |at: usize| text.as_bytes().get(at).copied();
            let before = at.checked_sub(1).and_then(byte);
            matches!(before, Some(b'/' | b'"' | b'\'' | b'`'))
                && matches!(
                    byte(at + last.len()),
                    Some(b'/' | b'"' | b'\'' | b'`' | b'?' | b' ') | None
                )
        })
    })
}

/// Paths that web frameworks serve by themselves.
pub fn is_of_framework(path: &str) -> bool {
    matches!(
        path,
        "/docs" | "/redoc" | "/openapi.json" | "/mcp" | "/mcp/" | "/sse" | "/"
    )
}

/// Whether there is Python or Go that serves something over HTTP or WebSocket, so that what it
/// does not mention is not there.
pub fn is_server(repository: &Repository) -> bool {
    programs(repository).any(|(path, text)| {
        let marks: &[&str] = match path.rsplit_once('.').map(|(_, end)| end) {
            Some("py") => &[
                "FastAPI(",
                "Starlette(",
                "FastMCP(",
                "uvicorn",
                "aiohttp",
                "Flask(",
            ],
            Some("go") => &[
                "http.HandleFunc",
                "http.ListenAndServe",
                "gin.",
                "mux.NewRouter",
                ".HandleFunc(",
            ],
            _ => &[],
        };
        !file_name(path).starts_with("test_") && marks.iter().any(|mark| holds(text, mark))
    })
}

/// Whether the server keeps sessions in its memory, as far as its source says so.
pub fn keeps_sessions(repository: &Repository) -> bool {
    let stateless = [
        "stateless_http=True",
        "stateless_http = True",
        "stateless=True",
        "WithStateLess(true)",
    ];
    let keeping = [
        "FastMCP(",
        "@app.websocket",
        "websocket.Upgrader",
        "SseServerTransport",
        "StreamableHTTPSessionManager",
    ];
    let has = |marks: &[&str]| {
        programs(repository).any(|(_, text)| marks.iter().any(|mark| holds(text, mark)))
    };
    has(&keeping) && !has(&stateless)
}

/// Whether a program or a shell script says this word, in capitals, small letters or as it is.
pub fn says(repository: &Repository, word: &str) -> bool {
    let forms = [
        word.to_owned(),
        word.to_ascii_lowercase(),
        word.to_ascii_uppercase(),
    ];
    let texts = repository.texts.iter().filter(|(path, _)| {
        is_program(path)
            || path.ends_with(".sh")
            || docker_name(&file_name(path).to_ascii_lowercase())
    });
    texts.into_iter().any(|(path, text)| {
        let sets = docker_name(&file_name(path).to_ascii_lowercase());
        forms.iter().any(|form| {
            memchr::memmem::find_iter(text.as_bytes(), form.as_bytes()).any(|at| {
                let byte = |at: usize| text.as_bytes().get(at).copied();
                let is_word = |byte: Option<u8>| {
                    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                };
                let before = at.checked_sub(1).and_then(byte);
                // In a recipe of an image only `$NAME` reads a variable; `ENV NAME=…` sets it.
                let counts = !sets || matches!(before, Some(b'$' | b'{'));
                counts && !is_word(before) && !is_word(byte(at + form.len()))
            })
        })
    })
}
