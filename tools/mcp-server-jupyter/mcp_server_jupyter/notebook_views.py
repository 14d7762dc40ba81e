"""Notebooks as tools show them: an outline, the sources, or everything, in pieces that fit.

Pure: a parsed notebook in, a view out, and a view as text. Text rather than JSON, because sources
and outputs are read best as they are, without escapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mcp_server_jupyter.notebook_files import Opened
from mcp_server_jupyter.notebooks import Notebook
from mcp_server_jupyter.rendering import Text, clip, render

OUTLINE_CHARACTERS = 100


class Detail(str, Enum):
    """How much of each cell is shown."""

    OUTLINE = "outline"
    SOURCES = "sources"
    FULL = "full"


@dataclass(frozen=True)
class CellView:
    """One cell.

    `cell_id` is None while the file is older than format 4.5. `source` is the first line only in an
    outline. `outputs` are there in full detail only; `output_count` is the notebook's in any case.
    """

    index: int
    cell_id: str | None
    cell_type: str
    source: str
    lines: int
    execution_count: int | None
    output_count: int
    outputs: str | None


@dataclass(frozen=True)
class NotebookView:
    """A notebook, or a run of its cells.

    `format` is the one on disk, `kernel_name` the specification the notebook asks for, `kernel_id`
    its running kernel, `next_start` the index to go on reading at, or None at the end.
    """

    path: str
    revision: str
    format: str
    kernel_name: str | None
    kernel_id: str | None
    cell_count: int
    detail: Detail
    cells: list[CellView]
    next_start: int | None


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
        detail=detail,
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


def notebook_text(view: NotebookView) -> str:
    """Write a view as text: a line about the notebook, then for each cell a line and its text."""
    head = (
        f"[notebook {view.path}, revision {view.revision}, format {view.format}, "
        f"asks for kernel specification {view.kernel_name or 'none'}, "
        f"running kernel {view.kernel_id or 'none'}, {_counted(view.cell_count, 'cell')}]"
    )
    between = " " if view.detail is Detail.OUTLINE else "\n"
    lines = [head, *(cell_text(cell, between) for cell in view.cells)]
    if view.next_start is not None:
        lines.append(f"[more cells follow; go on with start {view.next_start}]")
    return "\n".join(lines)


def cell_text(view: CellView, between: str = "\n") -> str:
    """Write a cell as text; the count of lines tells where its source ends."""
    facts = [f"{view.cell_type}", _counted(view.lines, "line")]
    if view.execution_count is not None:
        facts.append(f"execution {view.execution_count}")
    if view.output_count:
        facts.append(_counted(view.output_count, "output"))
    name = "without id" if view.cell_id is None else f"id {view.cell_id}"
    text = f"[cell {view.index}, {name}: {', '.join(facts)}]"
    if view.source:
        text += f"{between}{view.source}"
    if view.outputs:
        text += f"\n[outputs of cell {view.index}]\n{view.outputs}"
    return text


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _source(source: str, detail: Detail, limit: int) -> str:
    if detail is not Detail.OUTLINE:
        return clip(source, limit)[0]
    first = next((line for line in source.splitlines() if line.strip()), "")
    return first if len(first) <= OUTLINE_CHARACTERS else first[: OUTLINE_CHARACTERS - 1] + "…"
