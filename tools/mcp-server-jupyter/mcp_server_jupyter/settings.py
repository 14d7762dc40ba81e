"""Command line and environment, parsed once into one immutable value.

`parse` is a pure function of its arguments apart from looking at the root folder, which must exist.
Flags win over the environment. Nothing here starts anything.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp_server_jupyter import __version__
from mcp_server_jupyter.errors import UsageError

TRANSPORTS = {"stdio": "stdio", "http": "http", "streamable-http": "http"}
LOG_LEVELS = {
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARNING": "WARNING",
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "CRITICAL": "CRITICAL",
}
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

# RFC 6750, section 2.1: what may stand behind "Bearer " in the Authorization header.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9._-]{1,253}(?<!-)")


class Secret:
    """A string that never shows itself in logs, messages or `repr`."""

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; only the comparison in `security` needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True)
class Settings:
    """Everything a run of the server depends on.

    Times are seconds, `max_output` is characters, `root` is absolute with symbolic links resolved.
    """

    transport: str = "stdio"
    host: str = "127.0.0.1"
    port: int = 8000
    root: Path = field(default_factory=lambda: Path.cwd().resolve())
    log_level: str = "INFO"
    token: Secret | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    kernel_name: str = "python3"
    max_kernels: int = 10
    startup_timeout: float = 60.0
    execution_timeout: float = 300.0
    max_output: int = 50_000


@dataclass(frozen=True)
class _Option:
    """One setting: its flag, its environment variables (first set one wins) and its parser."""

    name: str
    variables: tuple[str, ...]
    parse: Callable[[str], Any]
    metavar: str
    help: str
    repeatable: bool = False

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def _transport(text: str) -> str:
    if text.lower() not in TRANSPORTS:
        raise ValueError("is not a transport; use stdio or http")
    return TRANSPORTS[text.lower()]


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise ValueError("is not a log level; use debug, info, warning, error or critical")
    return LOG_LEVELS[text.upper()]


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise ValueError("is not a port; use a number from 0 (pick a free one) to 65535")
    return int(text)


def _host(text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        ipaddress.ip_address(bare.split("%")[0])
    except ValueError:
        if not _HOST_NAME.fullmatch(bare):
            raise ValueError("is not a host name or an IP address") from None
    return bare


def _allowed_host(text: str) -> str:
    return text if text == "*" else _host(text).lower()


def _allowed_origin(text: str) -> str:
    if text != "*" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[^/\s?#@]+", text):
        raise ValueError("is not an origin; use the form https://name:port, without a path")
    return text.lower()


def _root(text: str) -> Path:
    if not text:
        raise ValueError("is not a folder")
    try:
        resolved = Path(text).expanduser().resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"is not a folder that can be opened ({error})") from None
    if not resolved.is_dir():
        raise ValueError("is not a folder")
    return resolved


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 < value <= 31_536_000):
        raise ValueError("is not a time; use a number of seconds above 0")
    return value


def _count(lowest: int, highest: int) -> Callable[[str], int]:
    def parse_count(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"is not a whole number from {lowest} to {highest}")
        return int(text)

    return parse_count


def _kernel_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError("is not a kernel name; `jupyter kernelspec list` shows the names")
    return text


_OPTIONS = (
    _Option(
        "transport", ("MCP_TRANSPORT",), _transport, "stdio|http", "how clients connect (stdio)"
    ),
    _Option("host", ("MCP_HOST",), _host, "HOST", "address to listen on (127.0.0.1)"),
    _Option(
        "port", ("MCP_PORT", "PORT"), _port, "PORT", "port to listen on; 0 picks a free one (8000)"
    ),
    _Option(
        "root", ("MCP_ALLOWED_ROOT",), _root, "DIR", "folder the notebooks are in (current folder)"
    ),
    _Option("log_level", ("LOG_LEVEL",), _log_level, "LEVEL", "what goes to stderr (info)"),
    _Option(
        "allowed_host",
        ("MCP_ALLOWED_HOSTS",),
        _allowed_host,
        "HOST",
        "further name clients may use in the Host header, or * for any; repeatable",
        repeatable=True,
    ),
    _Option(
        "allowed_origin",
        ("MCP_ALLOWED_ORIGINS",),
        _allowed_origin,
        "ORIGIN",
        "further web origin that may call the server, or * for any; repeatable",
        repeatable=True,
    ),
    _Option("kernel_name", ("MCP_KERNEL_NAME",), _kernel_name, "NAME", "default kernel (python3)"),
    _Option(
        "max_kernels",
        ("MCP_MAX_KERNELS",),
        _count(1, 1000),
        "N",
        "kernels that may live at once (10)",
    ),
    _Option(
        "startup_timeout",
        ("MCP_STARTUP_TIMEOUT",),
        _seconds,
        "SECONDS",
        "time a kernel has to start (60)",
    ),
    _Option(
        "execution_timeout",
        ("MCP_EXECUTION_TIMEOUT",),
        _seconds,
        "SECONDS",
        "time code has to run unless a call says otherwise (300)",
    ),
    _Option(
        "max_output",
        ("MCP_MAX_OUTPUT",),
        _count(200, 10_000_000),
        "CHARACTERS",
        "text a tool call returns at most (50000)",
    ),
)

_EPILOG = """\
environment (flags win):
{variables}
  {token:<31} bearer token that HTTP clients must send; it has no flag,
  {blank:<31} because command lines can be read by other users

exit codes: 0 stopped as asked, 1 failure, 2 bad flag, variable or combination
"""


class _Parser(argparse.ArgumentParser):
    """Reports instead of exiting, so that all usage errors end in one place."""

    def error(self, message: str) -> Any:
        raise UsageError(f"{message}; see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    """Build the command-line grammar; values stay strings until `parse` reads them."""
    variables = "\n".join(
        f"  {' or '.join(option.variables):<31} {option.flag}"
        + (", comma-separated" if option.repeatable else "")
        for option in _OPTIONS
    )
    parser = _Parser(
        prog="mcp-server-jupyter",
        description="MCP server that runs code in Jupyter kernels and edits notebooks.",
        epilog=_EPILOG.format(variables=variables, token="MCP_TOKEN", blank=""),  # noqa: S106
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    for option in _OPTIONS:
        parser.add_argument(
            option.flag,
            metavar=option.metavar,
            help=option.help,
            action="append" if option.repeatable else "store",
        )
    return parser


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read flags and environment into settings.

    Raises `UsageError` naming the flag or variable and its value. `--help` and `--version` print
    and raise `SystemExit(0)`, as argparse does.
    """
    flags = vars(build_parser().parse_args(arguments))
    values = {option.name: _value(option, flags[option.name], environment) for option in _OPTIONS}
    renamed = {"allowed_host": "allowed_hosts", "allowed_origin": "allowed_origins"}
    chosen = {renamed.get(name, name): value for name, value in values.items() if value is not None}
    settings = Settings(**chosen, token=_token(environment))
    _refuse_open_bind(settings)
    return settings


def _value(option: _Option, flag: Any, environment: Mapping[str, str]) -> Any:
    if option.repeatable:
        if flag is not None:
            return tuple(_read(option, option.flag, text) for text in flag)
        for variable in option.variables:
            if variable in environment:
                texts = environment[variable].split(",")
                return tuple(_read(option, variable, text.strip()) for text in texts)
        return None
    if flag is not None:
        return _read(option, option.flag, flag)
    for variable in option.variables:
        if variable in environment:
            return _read(option, variable, environment[variable])
    return None


def _read(option: _Option, source: str, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageError(f"{source}: {text!r} {error}") from None


def _token(environment: Mapping[str, str]) -> Secret | None:
    """Read the token; its value is never part of a message."""
    if "MCP_TOKEN" not in environment:
        return None
    text = environment["MCP_TOKEN"]
    if not text:
        raise UsageError("MCP_TOKEN: is set but empty; give it a value or unset it")
    if not _TOKEN.fullmatch(text):
        raise UsageError(
            "MCP_TOKEN: has characters that no bearer token can have (value not shown); "
            "use letters, digits and -._~+/, for instance from `openssl rand -hex 32`"
        )
    return Secret(text)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reachable from this machine only.

    Of names, only `localhost` is believed; what other names resolve to can change.
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_open_bind(settings: Settings) -> None:
    if settings.transport == "http" and settings.token is None and not is_loopback(settings.host):
        raise UsageError(
            f"host {settings.host!r} is reachable from other machines, and whoever reaches this "
            "server can run code; set MCP_TOKEN, or listen on 127.0.0.1"
        )
