"""The console script: settings, logging, signals before the loop runs, exit codes.

Imports of the server itself happen only after the command line is understood, so that `--version`
and usage errors answer at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from mcp_server_jupyter import __version__
from mcp_server_jupyter.errors import StartupError, UsageError
from mcp_server_jupyter.settings import Settings, parse

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server and return the exit code: 0 stopped as asked, 1 failure, 2 usage."""
    try:
        settings = parse(sys.argv[1:] if arguments is None else arguments, os.environ)
    except UsageError as error:
        print(f"mcp-server-jupyter: {error}", file=sys.stderr)  # noqa: T201
        return 2
    _leave_on_early_signals()
    _start_logging(settings)
    # Code in kernels inherits the environment, and it has no business with the token.
    os.environ.pop("MCP_TOKEN", None)
    from mcp_server_jupyter.stdio import claim_stdout

    stdout = claim_stdout()
    try:
        from mcp_server_jupyter.serving import run

        run(settings, stdout)
    except StartupError as error:
        log.error("%s", error)
        return 1
    _leave_at_once()
    return 0


def _leave_at_once() -> None:
    """End the process without Python's own tidying up.

    All that mattered has been closed by now. What is left can take seconds on a busy machine, and a
    thread that waits for a client to read could hold it up for ever.
    """
    logging.shutdown()
    os._exit(0)


def _leave_on_early_signals() -> None:
    """Until the server runs there is nothing to shut down, so a signal simply ends the process."""

    def leave(number: int, frame: FrameType | None) -> None:
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def _start_logging(settings: Settings) -> None:
    logging.basicConfig(
        level=settings.log_level,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # At info level these tell about every request or session, which is debugging detail here.
    if settings.log_level != "DEBUG":
        for name in ("mcp", "uvicorn", "asyncio", "traitlets"):
            logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    log.info("mcp-server-jupyter %s, allowed root %s", __version__, settings.root)
