"""Tools that run cells of a notebook, or all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ContentBlock, TextContent
from pydantic import Field

from mcp_server_jupyter.execution import Status
from mcp_server_jupyter.kernels import Kernel, KernelPool
from mcp_server_jupyter.notebook_files import NotebookFiles
from mcp_server_jupyter.notebooks import CellReference
from mcp_server_jupyter.paths import display_path, notebook_path
from mcp_server_jupyter.rendering import render
from mcp_server_jupyter.runs import CellOutcome, RunOutcome, RunProgress, run_cells
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.tools.execution_tools import Timeout, status_line, status_note
from mcp_server_jupyter.tools.notebook_tools import Cell, NotebookPath
from mcp_server_jupyter.tools.results import content_of, make_tool, send_progress, text_block

SMALLEST_SHARE = 200

KernelChoice = Annotated[
    str | None,
    Field(description="Kernel to use; if left out, the notebook's own, started if needed"),
]


def run_tools(settings: Settings, pool: KernelPool, files: NotebookFiles) -> list[Tool]:
    """Build the tools of this group."""

    async def run(
        context: Context,
        path: str,
        references: list[CellReference] | None,
        kernel_id: str | None,
        timeout_seconds: float | None,
        stop_on_error: bool,
        fresh: bool,
    ) -> CallToolResult:
        target = notebook_path(settings.root, path)
        kernel, notes = await _kernel_for(pool, files, target, kernel_id, fresh)
        timeout = timeout_seconds or settings.execution_timeout
        outcome = await run_cells(
            pool, files, target, kernel, references, timeout, stop_on_error, _progress_to(context)
        )
        shown = display_path(settings.root, target)
        return run_result(shown, kernel, outcome, notes, timeout, settings.max_output)

    async def run_selected(
        path: NotebookPath,
        cells: Annotated[list[Cell], Field(min_length=1, description="Cells to run, in order")],
        context: Context,
        kernel_id: KernelChoice = None,
        timeout_seconds: Timeout = None,
        stop_on_error: Annotated[bool, Field(description="End the run at the first error")] = True,
    ) -> CallToolResult:
        """Run cells of a notebook in its kernel; outputs come back and are stored in the file.

        The first lines say how the run ended and give the notebook's new revision. The time-out
        counts for each cell. Markdown, raw and empty cells are passed over.
        """
        return await run(context, path, cells, kernel_id, timeout_seconds, stop_on_error, False)

    async def run_notebook(
        path: NotebookPath,
        context: Context,
        kernel_id: KernelChoice = None,
        timeout_seconds: Timeout = None,
        stop_on_error: Annotated[bool, Field(description="End the run at the first error")] = True,
        restart: Annotated[
            bool, Field(description="Restart the kernel first, so that old variables are gone")
        ] = False,
    ) -> CallToolResult:
        """Run all code cells of a notebook from top to bottom and store their outputs in the file.

        The first lines say how the run ended and give the notebook's new revision. The time-out
        counts for each cell.
        """
        return await run(context, path, None, kernel_id, timeout_seconds, stop_on_error, restart)

    return [
        make_tool(
            run_selected, name="run_cells", title="Run cells", destructive=True, open_world=True
        ),
        make_tool(run_notebook, title="Run notebook", destructive=True, open_world=True),
    ]


async def _kernel_for(
    pool: KernelPool, files: NotebookFiles, path: Path, kernel_id: str | None, fresh: bool
) -> tuple[Kernel, list[str]]:
    """Find or start the kernel for a notebook; returns it with notes for the caller."""
    notes: list[str] = []
    if kernel_id is not None:
        kernel = pool.get(kernel_id)
    else:
        # Read first: a notebook that cannot be read must not cost a kernel.
        notebook = (await files.open(path)).notebook
        name, note = pool.name_for(notebook.kernel_name, notebook.language)
        notes += [note] if note else []
        started_before = pool.id_for(path)
        kernel = await pool.get_or_start_for_notebook(path, name)
        fresh = fresh and started_before is not None
    if fresh:
        kernel = await pool.restart(kernel.kernel_id)
    return kernel, notes


def _progress_to(context: Context) -> RunProgress:
    async def progress(done: int, total: int, seconds: float) -> None:
        # Cells are whole steps; the fraction only has to grow while one of them runs.
        within = seconds / (seconds + 60)
        message = f"cell {done + 1} of {total}, running for {seconds:.0f} s"
        await send_progress(context, done + within, total, message)

    return progress


def run_result(
    path: str,
    kernel: Kernel,
    outcome: RunOutcome,
    notes: list[str],
    timeout: float,
    max_output: int,
) -> CallToolResult:
    """Build the tool result of a run: how it ended, then each cell with what it produced.

    The room for output is shared out between the cells.
    """
    head = f"[notebook {path}, revision {outcome.revision}, kernel {kernel.kernel_id}]"
    content: list[ContentBlock] = [text_block("\n".join([*_summary(outcome), head, *notes]))]
    room = max_output
    for number, cell in enumerate(outcome.ran):
        share = max(room // (len(outcome.ran) - number), SMALLEST_SHARE)
        blocks = _cell_result(cell, timeout, share)
        content += blocks
        room -= sum(len(block.text) for block in blocks if isinstance(block, TextContent))
    return CallToolResult(content=content, is_error=outcome.failed)


def _cell_result(cell: CellOutcome, timeout: float, limit: int) -> list[ContentBlock]:
    execution = cell.execution
    rendering = render(execution.outputs, limit, execution.dropped_characters)
    head = f"[cell {cell.index}, id {cell.cell_id}: {status_line(execution)}]"
    note = status_note(execution, timeout)
    blocks: list[ContentBlock] = [text_block(head), *content_of(rendering.parts)]
    if note is not None:
        blocks.append(text_block(note))
    return blocks


def _summary(outcome: RunOutcome) -> list[str]:
    good = sum(cell.execution.status is Status.OK for cell in outcome.ran)
    lines = [f"[{good} of {len(outcome.ran)} cells ran without error]"]
    if outcome.not_run:
        lines.append(f"[not run: {', '.join(outcome.not_run)}]")
    if outcome.not_stored:
        changed = ", ".join(outcome.not_stored)
        lines.append(f"[outputs not stored, because the cells were changed meanwhile: {changed}]")
    return lines
