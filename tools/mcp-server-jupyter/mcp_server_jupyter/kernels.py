"""The kernels this server has started: start, find, interrupt, restart, shut down, run code in.

The pool owns every kernel process. It knows nothing of MCP or notebooks; which kernel belongs to
which notebook is remembered here only as an opaque path.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import anyio
import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.execution import Execution, Progress, Status, execute, finish_pending
from mcp_server_jupyter.outputs import Displays
from mcp_server_jupyter.processes import descendants, kill_remaining

log = logging.getLogger(__name__)

# A kernel that is asked to end politely has this long before it is killed. Half of it passes before
# SIGTERM, half before SIGKILL, so even a kernel that ignores both leaves time within 10 seconds.
SHUTDOWN_SECONDS = 2.0


@dataclass
class Kernel:
    """A kernel process, the connection to it and what is known about its state."""

    kernel_id: str
    kernel_name: str
    folder: Path
    manager: AsyncKernelManager
    client: AsyncKernelClient
    notebook: Path | None = None
    started_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    executions: int = 0
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    stuck_message_id: str | None = None

    async def is_alive(self) -> bool:
        """Tell whether the kernel process runs."""
        return bool(await self.manager.is_alive())

    async def interrupt(self) -> None:
        """Ask the running code to stop; a kernel that has died is left alone."""
        if await self.is_alive():
            await self.manager.interrupt_kernel()

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return _pid(self.manager)

    async def state(self) -> str:
        """Describe the kernel in one word: idle, busy or dead."""
        if not await self.is_alive():
            return "dead"
        return "busy" if self.lock.locked() or self.stuck_message_id else "idle"


class KernelPool:
    """All kernels of this server."""

    def __init__(self, default_name: str, max_kernels: int, startup_timeout: float) -> None:
        self.default_name = default_name
        self.specs = KernelSpecManager()
        self.closed = False
        self._max_kernels = max_kernels
        self._startup_timeout = startup_timeout
        self._kernels: dict[str, Kernel] = {}
        self._starting: dict[str, AsyncKernelManager] = {}
        self._choice_lock = anyio.Lock()

    def all(self) -> list[Kernel]:
        """Return the kernels in the order they were started."""
        return list(self._kernels.values())

    def available_specs(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the installed kernel specifications by name; reads the disk."""
        return dict(self.specs.get_all_specs())

    def get(self, kernel_id: str) -> Kernel:
        """Find a kernel; raises `ServerError` of kind `NOT_FOUND` naming those that exist."""
        kernel = self._kernels.get(kernel_id)
        if kernel is None:
            known = ", ".join(self._kernels) or "none"
            raise ServerError(
                ErrorKind.NOT_FOUND,
                f"there is no kernel {kernel_id!r}; running kernels: {known}",
                "start one with start_kernel, or leave kernel_id out",
            )
        return kernel

    def id_for(self, notebook: Path) -> str | None:
        """Return the id of a notebook's kernel, if it has one."""
        return next((k.kernel_id for k in self.all() if k.notebook == notebook), None)

    def spec(self, name: str) -> KernelSpec:
        """Find an installed kernel specification; raises `ServerError` naming those there are."""
        try:
            return self.specs.get_kernel_spec(name)
        except NoSuchKernel:
            known = ", ".join(sorted(self.specs.find_kernel_specs())) or "none"
            raise ServerError(
                ErrorKind.NOT_FOUND,
                f"there is no kernel specification {name!r}; installed: {known}",
                "use one of the installed names, or install the kernel",
            ) from None

    def name_for(self, wanted: str | None, language: str | None) -> tuple[str, str | None]:
        """Choose the specification for a notebook: the one it names, or a fitting replacement.

        Notebooks often name an environment of another machine. When such a notebook is in the
        default kernel's language, that kernel runs it and the second value says so.
        """
        default = self.spec(self.default_name)
        if wanted is None or wanted in self.specs.find_kernel_specs():
            return wanted or self.default_name, None
        if language not in (None, default.language.lower()):
            self.spec(wanted)
        return self.default_name, (
            f"[the notebook asks for kernel {wanted!r}, which is not installed; "
            f"{self.default_name!r} was used]"
        )

    async def start(
        self, kernel_name: str | None, folder: Path, notebook: Path | None = None
    ) -> Kernel:
        """Start a kernel and wait until it answers.

        Raises `ServerError` when the name is unknown, the limit is reached or it does not start.
        """
        name = kernel_name or self.default_name
        self._refuse_start(name)
        return await self._create(uuid.uuid4().hex[:12], name, folder, notebook)

    def _refuse_start(self, name: str) -> None:
        if self.closed:
            raise _shutting_down()
        if len(self._kernels) + len(self._starting) >= self._max_kernels:
            raise ServerError(
                ErrorKind.TOO_MANY_KERNELS,
                f"{self._max_kernels} kernels are running, which is the limit",
                "shut one down with shutdown_kernel, or start the server with --max-kernels",
            )
        self.spec(name)

    async def _create(
        self, kernel_id: str, name: str, folder: Path, notebook: Path | None
    ) -> Kernel:
        manager = AsyncKernelManager(kernel_name=name, kernel_spec_manager=self.specs)
        manager.shutdown_wait_time = SHUTDOWN_SECONDS
        # Kernels that can encrypt (CurveZMQ) do; the others are protected by signatures alone.
        manager.transport_encryption = "auto" if zmq.has("curve") else "disabled"
        self._starting[kernel_id] = manager
        try:
            client = await self._launch(manager, name, folder)
            kernel = Kernel(kernel_id, name, folder, manager, client, notebook)
            self._kernels[kernel_id] = kernel
        finally:
            del self._starting[kernel_id]
        log.info("started kernel %s (%s), process %s", kernel_id, name, kernel.pid)
        return kernel

    async def _launch(
        self, manager: AsyncKernelManager, name: str, folder: Path
    ) -> AsyncKernelClient:
        client: AsyncKernelClient | None = None
        try:
            await manager.start_kernel(cwd=str(folder))
            if self.closed:
                raise _shutting_down()
            client = manager.client()
            # No heartbeat: whether the process lives is asked of the process itself.
            client.start_channels(hb=False)
            await client.wait_for_ready(timeout=self._startup_timeout)
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await _end_process(manager, now=True)
                if client is not None:
                    client.stop_channels()
            if self.closed and isinstance(error, Exception):
                raise _shutting_down() from error
            if isinstance(error, (OSError, RuntimeError)):
                raise ServerError(
                    ErrorKind.KERNEL_FAILED_TO_START,
                    f"kernel {name!r} did not start within {self._startup_timeout:g} s: {error}",
                    "the server's log on stderr has the kernel's own messages",
                ) from error
            raise
        return client

    async def get_or_start_default(self, folder: Path) -> Kernel:
        """Return the only kernel that belongs to no notebook, starting one when there is none."""
        async with self._choice_lock:
            free = [kernel for kernel in self.all() if kernel.notebook is None]
            if len(free) > 1:
                known = ", ".join(kernel.kernel_id for kernel in free)
                raise ServerError(
                    ErrorKind.BAD_ARGUMENT,
                    f"several kernels are running: {known}",
                    "say which one with kernel_id",
                )
            return free[0] if free else await self.start(None, folder)

    async def get_or_start_for_notebook(self, notebook: Path, kernel_name: str | None) -> Kernel:
        """Return the notebook's kernel, starting one in the notebook's folder when needed."""
        running = self.id_for(notebook)
        if running is not None:
            return self.get(running)
        async with self._choice_lock:
            # Another call may have started it while this one waited.
            running = self.id_for(notebook)
            if running is not None:
                return self.get(running)
            return await self.start(kernel_name, notebook.parent, notebook)

    async def run(
        self,
        kernel: Kernel,
        code: str,
        timeout: float,
        displays: Displays | None = None,
        progress: Progress | None = None,
    ) -> Execution:
        """Run code in a kernel; executions in one kernel happen one after another.

        Raises `ServerError` when the kernel is dead, or still runs code that ignored an interrupt.
        """
        async with kernel.lock:
            await self._refuse_unusable(kernel)
            kernel.executions += 1
            result = await execute(kernel, code, timeout, displays, progress)
            if result.stuck:
                kernel.stuck_message_id = result.message_id
        if result.status is Status.KERNEL_DIED and self.closed:
            raise _shutting_down()
        return result

    async def _refuse_unusable(self, kernel: Kernel) -> None:
        if self.closed:
            raise _shutting_down()
        if self._kernels.get(kernel.kernel_id) is not kernel:
            raise ServerError(
                ErrorKind.KERNEL_DEAD,
                f"kernel {kernel.kernel_id!r} was restarted or shut down while the code waited",
                "call again if the code should still run",
            )
        if not await kernel.is_alive():
            raise ServerError(
                ErrorKind.KERNEL_DEAD,
                f"kernel {kernel.kernel_id!r} has died",
                "restart it with restart_kernel; its variables are lost",
            )
        if kernel.stuck_message_id is not None:
            if not await finish_pending(kernel, kernel.stuck_message_id):
                raise ServerError(
                    ErrorKind.KERNEL_BUSY,
                    f"kernel {kernel.kernel_id!r} still runs code that ignored an interrupt",
                    "restart it with restart_kernel; its variables are lost",
                )
            kernel.stuck_message_id = None

    async def interrupt(self, kernel_id: str) -> Kernel:
        """Interrupt what runs in a kernel."""
        kernel = self.get(kernel_id)
        await kernel.interrupt()
        return kernel

    async def restart(self, kernel_id: str) -> Kernel:
        """Replace a kernel's process by a fresh one; the id stays, all variables are lost."""
        old = self.get(kernel_id)
        await self._end(old, now=True)
        if self.closed:
            raise _shutting_down()
        return await self._create(kernel_id, old.kernel_name, old.folder, old.notebook)

    async def shut_down(self, kernel_id: str) -> None:
        """End a kernel: politely first, then by force."""
        await self._end(self.get(kernel_id), now=False)
        log.info("shut down kernel %s", kernel_id)

    async def shut_down_all(self) -> None:
        """End all kernels at the same time and start no more; safe to call twice."""
        self.closed = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._abandon_starts)
            for kernel in self.all():
                tasks.start_soon(self._end, kernel, False)

    async def _abandon_starts(self) -> None:
        """Kill kernels that are being started; whoever waits for them notices and cleans up."""
        while self._starting:
            for manager in self._starting.values():
                pid = _pid(manager)
                if pid is not None:
                    kill_remaining(descendants(pid))
            await anyio.sleep(0.05)

    async def _end(self, kernel: Kernel, now: bool) -> None:
        """Forget a kernel and end its process; what runs in it comes back as "kernel died"."""
        self._kernels.pop(kernel.kernel_id, None)
        with anyio.CancelScope(shield=True):
            await _end_process(kernel.manager, now)
            # The execution that still reads from the channels notices the death within one poll.
            async with kernel.lock:
                kernel.client.stop_channels()


async def _end_process(manager: AsyncKernelManager, now: bool) -> None:
    """End a kernel process and everything it has started."""
    pid = _pid(manager)
    processes = descendants(pid) if pid is not None else []
    try:
        with anyio.move_on_after(SHUTDOWN_SECONDS * 2):
            await manager.shutdown_kernel(now=now)
    except Exception as error:
        # A manager whose start was cut short can fail in many ways; killing below settles it.
        log.warning("kernel process %s did not shut down in order: %r", pid, error)
    finally:
        kill_remaining(processes)


def _pid(manager: AsyncKernelManager) -> int | None:
    pid = getattr(manager.provisioner, "pid", None)
    return int(pid) if pid is not None else None


def _shutting_down() -> ServerError:
    return ServerError(ErrorKind.SHUTTING_DOWN, "the server is shutting down")
