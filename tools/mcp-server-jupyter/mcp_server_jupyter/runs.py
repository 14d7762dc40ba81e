"""Running cells of a notebook in its kernel and storing what they produce.

The notebook file is not locked while code runs. Outputs are stored after every cell, by cell id, so
that edits made in the meantime survive and an interrupted run keeps what it had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio

from mcp_server_jupyter.execution import Execution, Status
from mcp_server_jupyter.kernels import Kernel, KernelPool
from mcp_server_jupyter.notebook_files import NotebookFiles
from mcp_server_jupyter.notebooks import CellReference, CellRun, Notebook, find, store_runs
from mcp_server_jupyter.outputs import Displays

# Called with the number of cells done, how many there are, and the seconds the present one runs.
RunProgress = Callable[[int, int, float], Awaitable[None]]


@dataclass(frozen=True)
class CellOutcome:
    """One cell that was run."""

    index: int
    cell_id: str
    execution: Execution


@dataclass
class RunOutcome:
    """What happened to the cells of a run; `revision` is the notebook's afterwards."""

    revision: str
    ran: list[CellOutcome] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    not_stored: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Tell whether any cell did not end well."""
        return any(cell.execution.status is not Status.OK for cell in self.ran)


def runnable(notebook: Notebook, references: Sequence[CellReference] | None) -> list[int]:
    """Return the indexes of the code cells to run; None means all of them.

    Markdown, raw and empty cells are passed over, as Jupyter does.
    """
    chosen = (
        range(len(notebook.cells))
        if references is None
        else [find(notebook, reference) for reference in references]
    )
    cells = notebook.cells
    return [i for i in chosen if cells[i].cell_type == "code" and cells[i].source.strip()]


async def run_cells(
    pool: KernelPool,
    files: NotebookFiles,
    path: Path,
    kernel: Kernel,
    references: Sequence[CellReference] | None,
    timeout: float,
    stop_on_error: bool,
    progress: RunProgress,
) -> RunOutcome:
    """Run code cells in order, each with its own time limit, and store their outputs.

    A time-out or a dead kernel ends the run in any case. Raises `ServerError`.
    """
    # Stored first, so that the cells of notebooks older than 4.5 have ids that last.
    opened = await files.change(path, lambda notebook: runnable(notebook, references))
    cells = opened.notebook.cells
    chosen = [(index, cells[index].id, cells[index].source) for index in opened.value]
    outcome = RunOutcome(opened.revision, not_run=[cell_id for _, cell_id, _ in chosen])
    runs: list[CellRun] = []
    displays = Displays()
    for done, (index, cell_id, source) in enumerate(chosen):
        report = partial(progress, done, len(chosen))
        await report(0.0)
        execution = await pool.run(kernel, source, timeout, displays, report)
        outcome.not_run.remove(cell_id)
        outcome.ran.append(CellOutcome(index, cell_id, execution))
        runs.append(CellRun(cell_id, source, execution.outputs, execution.execution_count))
        with anyio.CancelScope(shield=True):
            stored = await files.change(path, partial(_store, runs))
        outcome.revision, outcome.not_stored = stored.revision, stored.value
        if _ends_run(execution.status, stop_on_error):
            break
    return outcome


def _store(runs: Sequence[CellRun], notebook: Notebook) -> list[str]:
    return store_runs(notebook, runs)


def _ends_run(status: Status, stop_on_error: bool) -> bool:
    if status is Status.OK:
        return False
    return stop_on_error or status is not Status.ERROR
