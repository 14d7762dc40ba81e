"""Whether the server could start a kernel now: the answer behind `/ready`.

Looks instead of starting one: the kernel specification must be found and the program it starts must
be executable. The answer is kept for a moment, so that frequent probes cost nothing.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time

import anyio.to_thread
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from mcp_server_jupyter.kernels import KernelPool

KEEP_SECONDS = 5.0


class Readiness:
    """Answers why the server is not ready, or nothing when it is."""

    def __init__(self, pool: KernelPool) -> None:
        self._pool = pool
        self._answer: str | None = None
        self._asked_at: float | None = None

    async def problem(self) -> str | None:
        """Return the reason why no kernel can be started now, or None."""
        if self._pool.closed:
            return "the server is shutting down"
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > KEEP_SECONDS:
            self._answer = await anyio.to_thread.run_sync(
                kernel_problem, self._pool.specs, self._pool.default_name
            )
            self._asked_at = now
        return self._answer


def kernel_problem(specs: KernelSpecManager, name: str) -> str | None:
    """Return why a kernel of this name could not be started, or None; reads the disk."""
    try:
        manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=specs)
        command = manager.format_kernel_cmd()
    except NoSuchKernel:
        return f"kernel specification {name!r} is not installed"
    except (OSError, ValueError) as error:
        return f"kernel specification {name!r} cannot be read: {error}"
    if not command:
        return f"kernel specification {name!r} has no command"
    if shutil.which(command[0]) is None:
        return f"kernel {name!r} starts {command[0]!r}, which is not an executable program"
    return _module_problem(name, command)


def _module_problem(name: str, command: list[str]) -> str | None:
    """Check that a kernel run by this very interpreter finds its module."""
    if command[0] != sys.executable or "-m" not in command[:-1]:
        return None
    module = command[command.index("-m") + 1]
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return f"kernel {name!r} needs the Python module {module!r}, which is not installed"
    return None
