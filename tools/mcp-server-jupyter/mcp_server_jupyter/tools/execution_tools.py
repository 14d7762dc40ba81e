"""The tool that runs code in a kernel."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ContentBlock
from pydantic import Field

from mcp_server_jupyter.execution import Execution, Progress, Status
from mcp_server_jupyter.kernels import KernelPool
from mcp_server_jupyter.rendering import Rendering, render
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.tools.results import content_of, make_tool, send_progress, text_block

Timeout = Annotated[
    float | None,
    Field(
        gt=0,
        le=31_536_000,
        description="Seconds the code may run before it is interrupted; the server's default if "
        "left out",
    ),
]


def execution_tools(settings: Settings, pool: KernelPool) -> list[Tool]:
    """Build the tools of this group."""

    async def execute_code(
        code: Annotated[str, Field(description="The code, in the kernel's language")],
        context: Context,
        kernel_id: Annotated[
            str | None,
            Field(description="Kernel to use; if left out, the one free kernel, started if needed"),
        ] = None,
        timeout_seconds: Timeout = None,
    ) -> CallToolResult:
        """Run code in a Jupyter kernel and return what it prints, shows and returns.

        The first line says how it ended and in which kernel. Variables stay between calls with the
        same kernel. Images come back as images. Code that exceeds the time-out is interrupted;
        variables are kept. Code cannot ask for keyboard input.
        """
        if kernel_id is None:
            kernel = await pool.get_or_start_default(settings.root)
        else:
            kernel = pool.get(kernel_id)
        timeout = timeout_seconds or settings.execution_timeout
        result = await pool.run(kernel, code, timeout, progress=progress_to(context))
        return execution_result(kernel.kernel_id, result, timeout, settings.max_output)

    return [make_tool(execute_code, title="Run code", destructive=True, open_world=True)]


def progress_to(context: Context) -> Progress:
    """Report the running time of one execution to the client."""

    async def progress(seconds: float) -> None:
        await send_progress(context, seconds, None, f"running for {seconds:.0f} s")

    return progress


def execution_result(
    kernel_id: str, result: Execution, timeout: float, max_output: int
) -> CallToolResult:
    """Build the tool result of one execution: how it ended, then all it produced."""
    rendering = render(result.outputs, max_output, result.dropped_characters)
    head = f"[{status_line(result)}, kernel {kernel_id}]"
    return CallToolResult(
        content=[text_block(head), *_produced(rendering, result, timeout)],
        is_error=result.status is not Status.OK,
    )


def _produced(rendering: Rendering, result: Execution, timeout: float) -> list[ContentBlock]:
    content = content_of(rendering.parts)
    note = status_note(result, timeout)
    if note is not None:
        content.append(text_block(note))
    return content or [text_block("[no output]")]


def status_line(result: Execution) -> str:
    """Say in a few words how an execution ended: status, number and seconds."""
    number = "" if result.execution_count is None else f", execution {result.execution_count}"
    return f"{result.status.value}{number}, {result.seconds:.3f} s"


def status_note(result: Execution, timeout: float) -> str | None:
    """Say in words what a model must know beyond the output itself."""
    if result.status is Status.TIMEOUT and result.stuck:
        return (
            f"[timed out after {timeout:g} s and ignored the interrupt; the kernel still runs the "
            "code. Use restart_kernel; its variables are lost]"
        )
    if result.status is Status.TIMEOUT:
        return (
            f"[timed out after {timeout:g} s and was interrupted; variables are kept. "
            "Give a larger timeout_seconds if the code needs longer]"
        )
    if result.status is Status.INTERRUPTED:
        return "[the code was interrupted; variables are kept]"
    if result.status is Status.KERNEL_DIED:
        return (
            "[the kernel died while running the code (a crash, out of memory, or it was shut down);"
            " use restart_kernel, or start_kernel if it is gone. Its variables are lost]"
        )
    return None
