"""Tools about kernels as processes: list, start, interrupt, restart, shut down."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from mcp_server_jupyter.kernels import Kernel, KernelPool
from mcp_server_jupyter.paths import display_path, folder_path
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.tools.results import Result, make_tool

KernelId = Annotated[str, Field(description="Id of a kernel, as list_kernels shows it")]


class KernelInfo(Result):
    """A running kernel."""

    kernel_id: str
    kernel_name: str = Field(description="The kernel specification it was started from")
    state: str = Field(description="idle, busy or dead")
    folder: str = Field(description="Working folder, relative to the allowed root")
    notebook: str | None = Field(description="The notebook it belongs to, if any")
    started_at: str = Field(description="ISO 8601 time in UTC")
    executions: int = Field(description="How many pieces of code it was given")


class KernelList(Result):
    """The running kernels."""

    kernels: list[KernelInfo]


class KernelSpec(Result):
    """An installed kernel specification."""

    name: str
    display_name: str
    language: str


class KernelSpecList(Result):
    """The installed kernel specifications."""

    kernel_specs: list[KernelSpec]
    default: str = Field(description="The one used when no name is given")


class KernelEnded(Result):
    """A kernel that was shut down."""

    kernel_id: str
    state: str


def kernel_tools(settings: Settings, pool: KernelPool) -> list[Tool]:
    """Build the tools of this group."""

    async def info(kernel: Kernel) -> KernelInfo:
        root = settings.root
        return KernelInfo(
            kernel_id=kernel.kernel_id,
            kernel_name=kernel.kernel_name,
            state=await kernel.state(),
            folder=display_path(root, kernel.folder),
            notebook=display_path(root, kernel.notebook) if kernel.notebook else None,
            started_at=kernel.started_at.isoformat(timespec="seconds"),
            executions=kernel.executions,
        )

    async def list_kernels() -> KernelList:
        """List the running kernels with their state. Works at any time, also with none running."""
        return KernelList(kernels=[await info(kernel) for kernel in pool.all()])

    async def list_kernel_specs() -> KernelSpecList:
        """List the kinds of kernel (languages and environments) that start_kernel can start."""
        specs = await anyio.to_thread.run_sync(pool.available_specs)
        return KernelSpecList(
            kernel_specs=[
                KernelSpec(
                    name=name,
                    display_name=str(entry["spec"].get("display_name", name)),
                    language=str(entry["spec"].get("language", "")),
                )
                for name, entry in sorted(specs.items())
            ],
            default=pool.default_name,
        )

    async def start_kernel(
        kernel_name: Annotated[
            str | None, Field(description="A name from list_kernel_specs; default if left out")
        ] = None,
        folder: Annotated[
            str, Field(description="Working folder, relative to the allowed root")
        ] = ".",
    ) -> KernelInfo:
        """Start a new kernel and return its id.

        Not needed before execute_code or run_cells, which start a kernel by themselves; use it for
        a second kernel, another language or another working folder.
        """
        return await info(await pool.start(kernel_name, folder_path(settings.root, folder)))

    async def interrupt_kernel(kernel_id: KernelId) -> KernelInfo:
        """Interrupt the code that runs in a kernel (KeyboardInterrupt); variables are kept."""
        return await info(await pool.interrupt(kernel_id))

    async def restart_kernel(kernel_id: KernelId) -> KernelInfo:
        """Restart a kernel under the same id. All its variables and imports are lost."""
        return await info(await pool.restart(kernel_id))

    async def shutdown_kernel(kernel_id: KernelId) -> KernelEnded:
        """Shut a kernel down for good. All its variables are lost."""
        await pool.shut_down(kernel_id)
        return KernelEnded(kernel_id=kernel_id, state="ended")

    return [
        make_tool(list_kernels, title="List kernels", read_only=True, idempotent=True),
        make_tool(list_kernel_specs, title="List kernel kinds", read_only=True, idempotent=True),
        make_tool(start_kernel, title="Start kernel"),
        make_tool(interrupt_kernel, title="Interrupt kernel", destructive=True, idempotent=True),
        make_tool(restart_kernel, title="Restart kernel", destructive=True),
        make_tool(shutdown_kernel, title="Shut down kernel", destructive=True),
    ]
