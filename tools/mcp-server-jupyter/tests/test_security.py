"""Who may call the HTTP endpoint: the pure decision."""

from __future__ import annotations

import pytest

from mcp_server_jupyter.security import policy_for, refusal
from mcp_server_jupyter.settings import parse


def status(headers: dict[str, str], *flags: str, token: str | None = None) -> int:
    environment = {"MCP_TOKEN": token} if token else {}
    policy = policy_for(parse(["--transport=http", *flags], environment))
    refused = refusal(policy, {"host": "127.0.0.1:8000", **headers})
    return refused.status if refused else 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:99", 200),
        ("[::1]:99", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example:8000", 421),
        ("localhost:80@evil.example", 421),
        ("evil.example:80/localhost", 421),
        ("localhost:evil", 421),
        ("", 421),
    ],
)
def test_host(host: str, expected: int) -> None:
    assert status({"host": host}) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:3000", 200),
        ("https://127.0.0.1", 200),
        ("http://[::1]:1", 200),
        ("null", 403),
        ("", 403),
        ("http://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("file://localhost", 403),
        ("http://[broken", 403),
    ],
)
def test_origin(origin: str, expected: int) -> None:
    assert status({"origin": origin}) == expected


def test_further_hosts_and_origins() -> None:
    named = {"host": "jupyter.internal:8000"}
    assert status(named) == 421
    assert status(named, "--allowed-host", "Jupyter.Internal") == 200
    assert status(named, "--allowed-host", "*") == 200
    panel = {"origin": "vscode-webview://abc"}
    assert status(panel) == 403
    assert status(panel, "--allowed-origin", "vscode-webview://abc") == 200
    assert status({"host": "10.0.0.7"}, "--host", "10.0.0.7", token="t") == 401
    assert status({"host": "0.0.0.0"}, "--host", "0.0.0.0", token="t") == 421


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer s3cret", 200),
        ("bearer s3cret", 200),
        ("Bearer wrong", 401),
        ("Bearer ", 401),
        ("Bearer", 401),
        ("Basic s3cret", 401),
        ("s3cret", 401),
        ("Bearer s3cret2", 401),
        ("Bearer s3cré\u20ac", 401),
        (None, 401),
    ],
)
def test_token(authorization: str | None, expected: int) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    assert status(headers, token="s3cret") == expected
