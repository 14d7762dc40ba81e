"""Flags and environment: precedence, and errors that name the value and where it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server_jupyter.errors import UsageError
from mcp_server_jupyter.settings import Secret, Settings, is_loopback, parse


def test_defaults() -> None:
    settings = parse([], {})
    assert settings == Settings()
    assert settings.transport == "stdio"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.root == Path.cwd().resolve()


@pytest.mark.parametrize("text", ["info", "INFO", "InFo"])
def test_log_level_in_any_case(text: str) -> None:
    assert parse([], {"LOG_LEVEL": text}).log_level == "INFO"
    assert parse(["--log-level", text], {"LOG_LEVEL": "debug"}).log_level == "INFO"


@pytest.mark.parametrize(
    ("flags", "environment", "port"),
    [
        ([], {"PORT": "1"}, 1),
        ([], {"PORT": "1", "MCP_PORT": "2"}, 2),
        (["--port", "0"], {"PORT": "1", "MCP_PORT": "2"}, 0),
        (["--port=3"], {}, 3),
    ],
)
def test_port_precedence(flags: list[str], environment: dict[str, str], port: int) -> None:
    assert parse(flags, environment).port == port


def test_lists_from_flags_and_environment() -> None:
    environment = {"MCP_ALLOWED_HOSTS": "a.example, B.example"}
    assert parse([], environment).allowed_hosts == ("a.example", "b.example")
    flags = ["--allowed-host", "x", "--allowed-host", "y", "--allowed-origin", "https://o:1"]
    settings = parse(flags, environment)
    assert settings.allowed_hosts == ("x", "y")
    assert settings.allowed_origins == ("https://o:1",)


@pytest.mark.parametrize(
    ("flags", "environment", "source", "value"),
    [
        (["--port", "http"], {}, "--port", "http"),
        (["--port", "65536"], {}, "--port", "65536"),
        (["--port", "-1"], {}, "--port", "-1"),
        (["--port", "٣"], {}, "--port", "٣"),
        ([], {"PORT": "80a"}, "PORT", "80a"),
        ([], {"MCP_PORT": "", "PORT": "1"}, "MCP_PORT", "''"),
        (["--transport", "websocket"], {}, "--transport", "websocket"),
        ([], {"MCP_TRANSPORT": "sse"}, "MCP_TRANSPORT", "sse"),
        ([], {"LOG_LEVEL": "loud"}, "LOG_LEVEL", "loud"),
        (["--host", "a b"], {}, "--host", "a b"),
        ([], {"MCP_HOST": "http://x"}, "MCP_HOST", "http://x"),
        (["--root", "/no/such/folder"], {}, "--root", "/no/such/folder"),
        ([], {"MCP_ALLOWED_ROOT": __file__}, "MCP_ALLOWED_ROOT", __file__),
        (["--max-kernels", "0"], {}, "--max-kernels", "0"),
        (["--max-output", "1e3"], {}, "--max-output", "1e3"),
        (["--execution-timeout", "nan"], {}, "--execution-timeout", "nan"),
        ([], {"MCP_STARTUP_TIMEOUT": "-5"}, "MCP_STARTUP_TIMEOUT", "-5"),
        (["--allowed-origin", "example.com"], {}, "--allowed-origin", "example.com"),
        (["--kernel-name", "a/b"], {}, "--kernel-name", "a/b"),
        (["--bogus"], {}, "--bogus", "--bogus"),
        (["--por", "1"], {}, "--por", "--por"),
        (["extra"], {}, "extra", "extra"),
        (["--port"], {}, "--port", "--port"),
    ],
)
def test_bad_values_are_named(
    flags: list[str], environment: dict[str, str], source: str, value: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse(flags, environment)
    assert source in str(caught.value)
    assert value in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", "localhost.evil"])
def test_open_bind_needs_a_token(host: str) -> None:
    with pytest.raises(UsageError, match="MCP_TOKEN") as caught:
        parse(["--transport", "http", "--host", host], {})
    assert host in str(caught.value)
    assert parse(["--transport=http", "--host", host], {"MCP_TOKEN": "t"}).host == host
    assert parse(["--host", host], {}).transport == "stdio"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    settings = parse(["--transport", "http", "--host", host], {})
    assert is_loopback(settings.host)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tökén"])
def test_bad_token_is_refused_but_never_shown(token: str) -> None:
    with pytest.raises(UsageError, match="MCP_TOKEN") as caught:
        parse([], {"MCP_TOKEN": token})
    assert not token or token not in str(caught.value)


def test_token_does_not_show_itself() -> None:
    settings = parse([], {"MCP_TOKEN": "s3cret"})
    assert settings.token == Secret("s3cret")
    assert "s3cret" not in repr(settings)


def test_help_lists_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--help"], {})
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in ("MCP_TRANSPORT", "MCP_HOST", "MCP_PORT or PORT", "MCP_TOKEN", "LOG_LEVEL"):
        assert name in text
