"""Notebooks as tools show them: an outline, the sources, or everything, in pieces that fit.

Pure: a parsed notebook in, a structured view out.
"""

from __future__ import annotations

from enum import Enum

from pydantic import BaseModel, ConfigDict, Field

from mcp_server_jupyter.notebook_files import Opened
from mcp_server_jupyter.notebooks import Notebook
from mcp_server_jupyter.rendering import Text, clip, render

OUTLINE_CHARACTERS = 100


class Detail(str, Enum):
    """How much of each cell is shown."""

    OUTLINE = "outline"
    SOURCES = "sources"
    FULL = "full"


class CellView(BaseModel):
    """One cell."""

    model_config = ConfigDict(frozen=True)

    index: int
    cell_id: str | None = Field(description="Null while the file is older than format 4.5")
    cell_type: str
    source: str = Field(description="Text of the cell; in an outline its first line")
    lines: int
    execution_count: int | None = None
    output_count: int = Field(default=0, description="Outputs the cell has in the notebook")
    outputs: str | None = Field(default=None, description="Outputs as text; only in full detail")


class NotebookView(BaseModel):
    """A notebook, or a run of its cells."""

    model_config = ConfigDict(frozen=True)

    path: str
    revision: str = Field(description="Fingerprint of the file; give it to edits to be safe")
    format: str = Field(description="Format on disk")
    kernel_name: str | None = Field(description="Kernel specification the notebook asks for")
    kernel_id: str | None = Field(description="The running kernel of this notebook, if any")
    cell_count: int
    cells: list[CellView]
    next_start: int | None = Field(description="Where to go on reading; null at the end")


def notebook_view(
    path: str,
    opened: Opened,
    kernel_id: str | None,
    detail: Detail,
    limit: int,
    start: int = 0,
    count: int | None = None,
) -> NotebookView:
    """Show cells from `start` on: at most `count`, and about `limit` characters in all."""
    notebook = opened.notebook
    end = len(notebook.cells) if count is None else min(start + count, len(notebook.cells))
    views: list[CellView] = []
    room = limit
    for index in range(start, end):
        # At least one cell comes back, cut to size if it must be, so that reading always advances.
        view = cell_view(notebook, index, detail, limit)
        room -= len(view.source) + len(view.outputs or "")
        if room < 0 and views:
            end = index
            break
        views.append(view)
    return NotebookView(
        path=path,
        revision=opened.revision,
        format=notebook.upgraded_from or notebook.format,
        kernel_name=notebook.kernel_name,
        kernel_id=kernel_id,
        cell_count=len(notebook.cells),
        cells=views,
        next_start=end if end < len(notebook.cells) else None,
    )


def cell_view(notebook: Notebook, index: int, detail: Detail, limit: int) -> CellView:
    """Show one cell; source and outputs are each cut to `limit` characters."""
    cell = notebook.cells[index]
    outputs = cell.get("outputs", [])
    shown = None
    if detail is Detail.FULL and outputs:
        parts = render(outputs, limit).parts
        shown = "\n".join(part.text for part in parts if isinstance(part, Text))
    return CellView(
        index=index,
        cell_id=None if notebook.upgraded_from else cell.id,
        cell_type=cell.cell_type,
        source=_source(cell.source, detail, limit),
        lines=len(cell.source.splitlines()),
        execution_count=cell.get("execution_count"),
        output_count=len(outputs),
        outputs=shown,
    )


def _source(source: str, detail: Detail, limit: int) -> str:
    if detail is not Detail.OUTLINE:
        return clip(source, limit)[0]
    first = next((line for line in source.splitlines() if line.strip()), "")
    return first if len(first) <= OUTLINE_CHARACTERS else first[: OUTLINE_CHARACTERS - 1] + "…"
