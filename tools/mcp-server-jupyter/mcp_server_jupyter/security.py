"""Who may call the HTTP endpoint: Host, Origin and bearer token.

`refusal` is the pure decision; `Guard` applies it in front of an ASGI application. Rules follow the
Model Context Protocol, "Transports", security warning for Streamable HTTP: Origin must be checked,
or any web page could reach a local server by DNS rebinding.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_server_jupyter.settings import LOOPBACK_NAMES, Secret, Settings


@dataclass(frozen=True)
class Policy:
    """What requests must look like. Hosts and origins are lower-case; `*` allows any."""

    hosts: frozenset[str]
    origins: frozenset[str]
    token: Secret | None


@dataclass(frozen=True)
class Refusal:
    """Why a request is turned away: HTTP status and a message for the caller."""

    status: int
    message: str


def policy_for(settings: Settings) -> Policy:
    """Derive the policy: loopback names, the address listened on and what was allowed by flag."""
    hosts = {*LOOPBACK_NAMES, *settings.allowed_hosts}
    if not _is_wildcard(settings.host):
        hosts.add(settings.host.lower())
    return Policy(frozenset(hosts), frozenset(settings.allowed_origins), settings.token)


def refusal(policy: Policy, headers: Mapping[str, str]) -> Refusal | None:
    """Decide about a request to the MCP endpoint; header names are lower-case."""
    return (
        _host_refusal(policy, headers.get("host"))
        or origin_refusal(policy, headers.get("origin"))
        or _token_refusal(policy, headers.get("authorization"))
    )


def origin_refusal(policy: Policy, origin: str | None) -> Refusal | None:
    """Turn away web pages that were not allowed; programs send no Origin and pass."""
    if origin is None or "*" in policy.origins or origin.lower() in policy.origins:
        return None
    try:
        parts = urlsplit(origin.lower())
        known = parts.scheme in ("http", "https") and parts.hostname in policy.hosts
    except ValueError:
        known = False
    if known:
        return None
    return Refusal(
        403, "this Origin is not allowed; start the server with --allowed-origin to allow it"
    )


def _host_refusal(policy: Policy, host: str | None) -> Refusal | None:
    if "*" in policy.hosts or (host is not None and _host_name(host) in policy.hosts):
        return None
    return Refusal(
        421, "this Host is not allowed; start the server with --allowed-host to allow it"
    )


def _token_refusal(policy: Policy, authorization: str | None) -> Refusal | None:
    if policy.token is None:
        return None
    scheme, _, sent = (authorization or "").partition(" ")
    expected = policy.token.reveal().encode()
    # Latin-1 is how HTTP header bytes become text, so any bytes sent can be compared.
    matches = hmac.compare_digest(sent.strip().encode("latin-1", "replace"), expected)
    if scheme.lower() == "bearer" and matches:
        return None
    return Refusal(401, "a valid bearer token is required: Authorization: Bearer <MCP_TOKEN>")


def _host_name(header: str) -> str | None:
    """Return the name in a Host header, without port and brackets, in lower case."""
    try:
        parts = urlsplit(f"//{header.lower()}")
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_unspecified
    except ValueError:
        return False


class Guard:
    """ASGI wrapper that lets a request through only when the policy has no objection."""

    def __init__(self, app: ASGIApp, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request with a refusal, or pass it on."""
        if scope["type"] == "http":
            refused = refusal(self._policy, Headers(scope=scope))
            if refused is not None:
                await _response(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _response(refused: Refusal) -> JSONResponse:
    challenge = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else None
    return JSONResponse({"error": refused.message}, status_code=refused.status, headers=challenge)
