"""One execution in a kernel: send the code, collect what comes back, keep to the time limit.

Talks to a kernel through `jupyter_client` and knows nothing of MCP, notebooks or the kernel pool.
Message order and meaning follow the Jupyter messaging specification, version 5.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

import anyio
from jupyter_client.asynchronous.client import AsyncKernelClient

from mcp_server_jupyter.outputs import Displays, Output, OutputCollector

# How long one wait for a message lasts before the kernel's health and the clock are looked at.
POLL_SECONDS = 0.25
# After an interrupt a kernel has this long to stop before it counts as stuck.
INTERRUPT_GRACE_SECONDS = 5.0
# When the kernel has answered but its "idle" never arrives (a full message queue drops messages),
# the execution ends after this much silence.
SILENCE_AFTER_REPLY_SECONDS = 3.0
# The reply is sent before "idle" but on another channel, so it may come this much later.
REPLY_AFTER_IDLE_SECONDS = 2.0
PROGRESS_SECONDS = 5.0


class Status(str, Enum):
    """How an execution ended."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"
    KERNEL_DIED = "kernel_died"


@dataclass(frozen=True)
class Execution:
    """The result of running one piece of code.

    `stuck` means that the kernel ignored the interrupt that followed the time-out and still runs.
    """

    status: Status
    outputs: list[Output]
    execution_count: int | None
    seconds: float
    message_id: str
    dropped_characters: int = 0
    stuck: bool = False


class RunningKernel(Protocol):
    """What an execution needs of a kernel."""

    @property
    def client(self) -> AsyncKernelClient:
        """The connected client."""

    async def is_alive(self) -> bool:
        """Tell whether the kernel process runs."""

    async def interrupt(self) -> None:
        """Ask the running code to stop."""


Progress = Callable[[float], Awaitable[None]]


async def execute(
    kernel: RunningKernel,
    code: str,
    timeout: float,
    displays: Displays | None = None,
    progress: Progress | None = None,
) -> Execution:
    """Run code and wait until it ends, times out or takes the kernel down with it.

    When the caller is cancelled the kernel is interrupted, so that nobody's code runs on unseen.
    """
    run = _Run(kernel, OutputCollector(displays), progress)
    run.message_id = kernel.client.execute(code, allow_stdin=False, stop_on_error=True)
    try:
        return await run.until_done(timeout)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True), anyio.move_on_after(INTERRUPT_GRACE_SECONDS):
            await kernel.interrupt()
            await run.wait(INTERRUPT_GRACE_SECONDS)
        raise


async def finish_pending(kernel: RunningKernel, message_id: str) -> bool:
    """Tell whether an execution that was given up on has ended by now; waits only for a moment."""
    run = _Run(kernel, OutputCollector(), None)
    run.message_id = message_id
    return await run.wait(2 * POLL_SECONDS) is not _Wait.TIME_UP


class _Wait(Enum):
    DONE = "done"
    DIED = "died"
    TIME_UP = "time up"


class _Run:
    """The state of one execution while its messages come in."""

    def __init__(
        self, kernel: RunningKernel, collector: OutputCollector, progress: Progress | None
    ) -> None:
        self.kernel = kernel
        self.collector = collector
        self.message_id = ""
        self._progress = progress
        self._idle = False
        self._reply: dict[str, Any] | None = None
        self._started = time.monotonic()
        self._last_message = self._started
        self._last_progress = self._started

    async def until_done(self, timeout: float) -> Execution:
        outcome = await self.wait(timeout)
        if outcome is _Wait.DIED:
            return self._result(Status.KERNEL_DIED)
        if outcome is _Wait.DONE:
            return self._result(self._final_status())
        await self.kernel.interrupt()
        outcome = await self.wait(INTERRUPT_GRACE_SECONDS)
        if outcome is _Wait.DIED:
            return self._result(Status.KERNEL_DIED)
        return self._result(Status.TIMEOUT, stuck=outcome is _Wait.TIME_UP)

    async def wait(self, timeout: float) -> _Wait:
        """Take in messages until the execution ends or `timeout` seconds have passed."""
        deadline = time.monotonic() + timeout
        while True:
            remaining = deadline - time.monotonic()
            got_one = await self._take_message(min(max(remaining, 0), POLL_SECONDS))
            if self._is_done():
                return _Wait.DONE
            if not got_one and not await self.kernel.is_alive():
                return _Wait.DIED
            if remaining <= 0:
                return _Wait.TIME_UP
            await self._report_progress()

    async def _take_message(self, wait_seconds: float) -> bool:
        """Take one output message, or look for the reply when there is none."""
        try:
            message = await self.kernel.client.get_iopub_msg(timeout=wait_seconds)
        except queue.Empty:
            await self._take_reply()
            return False
        self._last_message = time.monotonic()
        if message.get("parent_header", {}).get("msg_id") != self.message_id:
            return True
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content.get("execution_state") == "idle":
            self._idle = True
            await self._take_reply(REPLY_AFTER_IDLE_SECONDS)
        else:
            self.collector.apply(kind, content)
        return True

    async def _take_reply(self, wait_seconds: float = 0) -> None:
        while self._reply is None:
            try:
                message = await self.kernel.client.get_shell_msg(timeout=wait_seconds)
            except queue.Empty:
                return
            if message.get("parent_header", {}).get("msg_id") == self.message_id:
                self._reply = message["content"]

    def _is_done(self) -> bool:
        if self._idle:
            return True
        silent = time.monotonic() - self._last_message
        return self._reply is not None and silent > SILENCE_AFTER_REPLY_SECONDS

    def _final_status(self) -> Status:
        # A kernel that is interrupted between taking a request and running its code gives the
        # request up without a reply: the code has not run, which must not look like success.
        if self._reply is None and not self.collector.failed:
            return Status.INTERRUPTED
        reply = self._reply or {}
        if reply.get("status") == "aborted":
            return Status.INTERRUPTED
        if self.collector.failed or reply.get("status") == "error":
            name = reply.get("ename")
            return Status.INTERRUPTED if name == "KeyboardInterrupt" else Status.ERROR
        return Status.OK

    def _result(self, status: Status, stuck: bool = False) -> Execution:
        count = self.collector.execution_count
        if count is None and self._reply is not None:
            count = self._reply.get("execution_count")
        return Execution(
            status=status,
            outputs=self.collector.outputs(),
            execution_count=count,
            seconds=time.monotonic() - self._started,
            message_id=self.message_id,
            dropped_characters=self.collector.dropped_characters,
            stuck=stuck,
        )

    async def _report_progress(self) -> None:
        now = time.monotonic()
        if self._progress is not None and now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            await self._progress(now - self._started)
