"""Notebooks as values: parse, find, insert, edit, delete, move, store outputs, serialise.

Pure functions on nbformat nodes; no file is touched. Everything is worked on in format 4.5 or
newer, the first in which cells have ids; older notebooks are upgraded when they are parsed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.outputs import Output

CellReference = int | str


@dataclass
class Notebook:
    """A parsed notebook.

    `upgraded_from` is the format it had on disk when that was older than 4.5 or had missing or
    repeated cell ids; its ids are then new and not stored until the notebook is written.
    """

    node: NotebookNode
    upgraded_from: str | None = None

    @property
    def cells(self) -> list[NotebookNode]:
        """The cells, in order; the live list."""
        cells: list[NotebookNode] = self.node.cells
        return cells

    @property
    def kernel_name(self) -> str | None:
        """The kernel specification named in the metadata."""
        name = self.node.metadata.get("kernelspec", {}).get("name")
        return str(name) if name else None

    @property
    def language(self) -> str | None:
        """The programming language named in the metadata, in lower case."""
        metadata = self.node.metadata
        language = metadata.get("kernelspec", {}).get("language") or metadata.get(
            "language_info", {}
        ).get("name")
        return str(language).lower() if language else None

    @property
    def format(self) -> str:
        """The notebook format, such as 4.5."""
        return f"{self.node.nbformat}.{self.node.nbformat_minor}"


def parse(text: str, name: str) -> Notebook:
    """Parse notebook JSON of format 1 to 4.

    Raises `ServerError` of kind `BAD_NOTEBOOK` that names the file and what is wrong in it.
    """
    raw = _parse_json(text, name)
    version = raw.get("nbformat")
    if not isinstance(version, int) or not 1 <= version <= 4:
        raise _bad(name, f"its nbformat is {version!r}, but only formats 1 to 4 are known")
    try:
        with warnings.catch_warnings():
            # nbformat warns when it repairs ids; the comparison below notices that itself.
            warnings.simplefilter("ignore")
            node = nbformat.reads(text, as_version=4)
            if node.nbformat_minor < 5:
                node = v4.upgrade(node, from_version=4, from_minor=node.nbformat_minor)
            nbformat.validate(node)
    except Exception as error:
        # nbformat lets errors of many kinds escape for the many ways in which JSON can fail to be
        # a notebook; all of them mean the same to the caller.
        raise _bad(name, str(error).strip().split("\n", 1)[0]) from error
    return Notebook(node, None if _has_stored_ids(raw, node) else _format_of(raw))


def _parse_json(text: str, name: str) -> dict[str, Any]:
    if not text.strip():
        raise _bad(name, "it is empty")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _bad(name, f"it is not JSON: {error}") from error
    if not isinstance(raw, dict):
        raise _bad(name, "its JSON is not an object")
    return raw


def _bad(name: str, reason: str) -> ServerError:
    return ServerError(
        ErrorKind.BAD_NOTEBOOK,
        f"{name!r} is not a valid notebook: {reason}",
        "repair the file outside this server; it was not changed",
    )


def _format_of(raw: dict[str, Any]) -> str:
    return f"{raw['nbformat']}.{raw.get('nbformat_minor', 0)}"


def _has_stored_ids(raw: dict[str, Any], node: NotebookNode) -> bool:
    stored = [cell.get("id") for cell in raw.get("cells", [])]
    return stored == [cell.id for cell in node.cells]


def new_notebook(kernel_name: str, display_name: str, language: str) -> Notebook:
    """Make an empty notebook for a kernel."""
    kernelspec = {"name": kernel_name, "display_name": display_name, "language": language}
    return Notebook(v4.new_notebook(metadata={"kernelspec": kernelspec}))


def serialise(notebook: Notebook, name: str) -> str:
    """Write notebook JSON the way Jupyter does; refuses to write what would not be valid."""
    try:
        nbformat.validate(notebook.node)
    except nbformat.ValidationError as error:
        raise ServerError(
            ErrorKind.BAD_NOTEBOOK,
            f"the change would make {name!r} an invalid notebook: {error.message}",
            "nothing was written",
        ) from error
    text: str = nbformat.writes(notebook.node)
    return text if text.endswith("\n") else text + "\n"


def find(notebook: Notebook, reference: CellReference) -> int:
    """Return the index of a cell named by id or by index (from 0; negative from the end).

    Text of digits is an index when no cell has it as its id. Raises `ServerError`.
    """
    cells = notebook.cells
    if isinstance(reference, str):
        for index, cell in enumerate(cells):
            if cell.id == reference:
                return index
    try:
        index = int(reference)
    except ValueError:
        index = len(cells)
    if not -len(cells) <= index < len(cells):
        raise ServerError(
            ErrorKind.NOT_FOUND,
            f"there is no cell {reference!r}; the notebook has {len(cells)} cells",
            "read_notebook lists the cells with their ids",
        )
    return index % len(cells)


def insert(notebook: Notebook, position: int | None, cell_type: str, source: str) -> int:
    """Insert a new cell so that it gets the index `position`; None appends. Returns the index."""
    cells = notebook.cells
    index = len(cells) if position is None else position
    _check_position(index, len(cells))
    cells.insert(index, _new_cell(cell_type, source))
    return index


def edit(
    notebook: Notebook, reference: CellReference, source: str | None, cell_type: str | None
) -> int:
    """Change a cell's source or type; its id and metadata stay.

    Outputs of a code cell go when its source changes, because they are not that source's outputs.
    """
    index = find(notebook, reference)
    cell = notebook.cells[index]
    new_source = cell.source if source is None else source
    if cell_type is not None and cell_type != cell.cell_type:
        changed = _new_cell(cell_type, new_source, id=cell.id, metadata=cell.metadata)
        if "attachments" in cell and cell_type != "code":
            changed.attachments = cell.attachments
        notebook.cells[index] = changed
    elif new_source != cell.source:
        cell.source = new_source
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return index


def delete(notebook: Notebook, reference: CellReference) -> NotebookNode:
    """Remove a cell and return it."""
    return notebook.cells.pop(find(notebook, reference))


def move(notebook: Notebook, reference: CellReference, position: int) -> int:
    """Move a cell so that its index afterwards is `position`. Returns that index."""
    start = find(notebook, reference)
    _check_position(position, len(notebook.cells) - 1)
    notebook.cells.insert(position, notebook.cells.pop(start))
    return position


def _check_position(position: int, highest: int) -> None:
    if not 0 <= position <= highest:
        raise ServerError(
            ErrorKind.BAD_ARGUMENT,
            f"position {position} is not possible; it must be from 0 to {highest}",
        )


def _new_cell(cell_type: str, source: str, **fields: Any) -> NotebookNode:
    makers: dict[str, Callable[..., NotebookNode]] = {
        "code": v4.new_code_cell,
        "markdown": v4.new_markdown_cell,
        "raw": v4.new_raw_cell,
    }
    return makers[cell_type](source, **fields)


@dataclass
class CellRun:
    """What running one cell produced; `source` is what was run."""

    cell_id: str
    source: str
    outputs: list[Output] = field(default_factory=list)
    execution_count: int | None = None


def store_runs(notebook: Notebook, runs: Sequence[CellRun]) -> list[str]:
    """Put outputs into their cells.

    Cells that were deleted or got another source since they were run are left alone; their ids are
    returned.
    """
    by_id = {cell.id: cell for cell in notebook.cells}
    skipped = []
    for run in runs:
        cell = by_id.get(run.cell_id)
        if cell is None or cell.cell_type != "code" or cell.source != run.source:
            skipped.append(run.cell_id)
            continue
        cell.outputs = nbformat.from_dict(run.outputs)
        cell.execution_count = run.execution_count
    return skipped
