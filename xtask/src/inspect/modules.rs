//! Which distribution provides a module, for the modules that servers import most; and what the
//! SDKs bring along.

/// Module, and the distributions that provide it.
const PROVIDERS: &[(&str, &[&str])] = &[
    ("mcp", &["mcp"]),
    ("fastmcp", &["fastmcp"]),
    ("pydantic", &["pydantic"]),
    ("pydantic_settings", &["pydantic-settings"]),
    ("fastapi", &["fastapi", "fastapi-slim"]),
    ("starlette", &["starlette"]),
    ("uvicorn", &["uvicorn"]),
    ("httpx", &["httpx"]),
    ("requests", &["requests"]),
    ("aiohttp", &["aiohttp"]),
    ("websockets", &["websockets"]),
    ("anyio", &["anyio"]),
    ("yaml", &["pyyaml"]),
    ("dotenv", &["python-dotenv"]),
    ("click", &["click"]),
    ("typer", &["typer", "typer-slim"]),
    ("rich", &["rich"]),
    ("jinja2", &["jinja2"]),
    ("kubernetes", &["kubernetes"]),
    ("kubernetes_asyncio", &["kubernetes-asyncio"]),
    ("docker", &["docker"]),
    ("redis", &["redis"]),
    ("pymongo", &["pymongo"]),
    ("motor", &["motor"]),
    ("sqlalchemy", &["sqlalchemy"]),
    ("psycopg2", &["psycopg2", "psycopg2-binary"]),
    ("asyncpg", &["asyncpg"]),
    ("aiosqlite", &["aiosqlite"]),
    ("numpy", &["numpy"]),
    ("pandas", &["pandas"]),
    ("matplotlib", &["matplotlib"]),
    ("plotly", &["plotly"]),
    ("duckdb", &["duckdb"]),
    ("jupyter_client", &["jupyter-client"]),
    ("nbformat", &["nbformat"]),
    ("ipykernel", &["ipykernel"]),
    ("psutil", &["psutil"]),
    ("structlog", &["structlog"]),
    ("loguru", &["loguru"]),
    ("openai", &["openai"]),
    ("anthropic", &["anthropic"]),
    ("bs4", &["beautifulsoup4"]),
    ("PIL", &["pillow"]),
    ("boto3", &["boto3"]),
    ("tenacity", &["tenacity"]),
    ("prometheus_client", &["prometheus-client"]),
    ("filelock", &["filelock"]),
    ("flask", &["flask"]),
    ("django", &["django"]),
    ("cryptography", &["cryptography"]),
    ("jwt", &["pyjwt"]),
    ("git", &["gitpython"]),
    ("github", &["pygithub"]),
];

/// What a distribution certainly brings along: its own fixed requirements.
const BRINGS: &[(&str, &[&str])] = &[
    (
        "mcp",
        &[
            "anyio",
            "httpx",
            "pydantic",
            "pydantic-settings",
            "starlette",
            "uvicorn",
            "pyjwt",
        ],
    ),
    (
        "fastmcp",
        &[
            "mcp",
            "anyio",
            "httpx",
            "pydantic",
            "pydantic-settings",
            "starlette",
            "uvicorn",
            "rich",
            "python-dotenv",
            "pyyaml",
            "websockets",
            "pyjwt",
            "cryptography",
        ],
    ),
    ("fastapi", &["pydantic", "starlette", "anyio"]),
    ("typer", &["click", "rich"]),
    ("uvicorn", &["click"]),
    ("flask", &["click", "jinja2"]),
    ("httpx", &["anyio"]),
    ("starlette", &["anyio"]),
    ("pandas", &["numpy"]),
    ("matplotlib", &["numpy", "pillow"]),
    ("ipykernel", &["jupyter-client", "psutil"]),
    ("kubernetes", &["pyyaml", "requests"]),
    ("docker", &["requests"]),
    ("openai", &["httpx", "pydantic", "anyio"]),
    ("anthropic", &["httpx", "pydantic", "anyio"]),
    ("pydantic-settings", &["pydantic", "python-dotenv"]),
];

/// The distributions that provide a top-level module; `None` when that is not known here.
pub fn providers(module: &str) -> Option<&'static [&'static str]> {
    let found = PROVIDERS.iter().find(|(name, _)| *name == module);
    found.map(|(_, providers)| *providers)
}

/// Whether a distribution is one of those whose modules are known here.
pub fn is_distribution(name: &str) -> bool {
    PROVIDERS
        .iter()
        .any(|(_, providers)| providers.contains(&name))
}

/// Whether a distribution brings another one along, directly or through others.
pub fn brings(distribution: &str, other: &str) -> bool {
    let mut known = vec![distribution];
    let mut index = 0;
    while let Some(name) = known.get(index).copied() {
        index += 1;
        let found = BRINGS.iter().find(|(one, _)| *one == name);
        for brought in found.map_or(&[][..], |(_, brought)| brought) {
            if *brought == other {
                return true;
            }
            if !known.contains(brought) {
                known.push(brought);
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_brought_along_is_followed() {
        assert!(brings("fastmcp", "pydantic") && brings("fastapi", "anyio"));
        assert!(!brings("pydantic", "mcp") && !brings("unknown", "mcp"));
        assert_eq!(providers("yaml"), Some(&["pyyaml"][..]));
    }
}
