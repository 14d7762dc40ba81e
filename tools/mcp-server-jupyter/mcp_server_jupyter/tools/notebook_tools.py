"""Tools that read and edit notebooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import anyio.to_thread
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from mcp_server_jupyter import notebooks
from mcp_server_jupyter.kernels import KernelPool
from mcp_server_jupyter.notebook_files import NotebookFiles, Opened
from mcp_server_jupyter.notebook_listing import list_files
from mcp_server_jupyter.notebook_views import (
    Detail,
    cell_text,
    cell_view,
    notebook_text,
    notebook_view,
)
from mcp_server_jupyter.notebooks import Notebook
from mcp_server_jupyter.paths import display_path, folder_path, notebook_path
from mcp_server_jupyter.rendering import render
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.tools.results import Result, content_of, make_tool, text_block

NotebookPath = Annotated[
    str, Field(description="Notebook file (.ipynb), relative to the allowed root")
]
Cell = Annotated[
    int | str, Field(description="Cell id (text), or cell index from 0; negative from the end")
]
CellType = Literal["code", "markdown", "raw"]
Revision = Annotated[
    str | None,
    Field(
        description="The revision a previous result gave; the change is refused if the file has "
        "changed since"
    ),
]


class NotebookList(Result):
    """Notebook files below a folder."""

    notebooks: list[str] = Field(description="Paths relative to the allowed root")
    complete: bool = Field(description="False when there are more than could be listed")


class EditReport(Result):
    """A notebook after a change."""

    path: str
    revision: str
    cell_id: str = Field(description="The cell that was inserted, changed, moved or deleted")
    index: int | None = Field(description="Where the cell is now; null when it was deleted")
    cells: int = Field(description="How many cells the notebook has now")
    upgraded_from: str | None = Field(
        description="Set when the file had no lasting cell ids before: the format it had"
    )


def notebook_tools(settings: Settings, pool: KernelPool, files: NotebookFiles) -> list[Tool]:
    """Build the tools of this group."""
    root = settings.root

    async def change(
        path: str, revision: str | None, decide: Callable[[Notebook], tuple[str, int | None]]
    ) -> EditReport:
        """Apply a change that returns the id and the new index of the cell it was about."""
        target = notebook_path(root, path)
        changed = await files.change(target, decide, revision)
        cell_id, index = changed.value
        return EditReport(
            path=display_path(root, target),
            revision=changed.revision,
            cell_id=cell_id,
            index=index,
            cells=len(changed.notebook.cells),
            upgraded_from=changed.notebook.upgraded_from,
        )

    def show(
        target: Path, opened: Opened, detail: Detail, start: int = 0, count: int | None = None
    ) -> CallToolResult:
        view = notebook_view(
            display_path(root, target),
            opened,
            pool.id_for(target),
            detail,
            settings.max_output,
            start,
            count,
        )
        return CallToolResult(content=[text_block(notebook_text(view))])

    async def list_notebooks(
        folder: Annotated[str, Field(description="Folder, relative to the allowed root")] = ".",
    ) -> NotebookList:
        """List the notebook files in a folder and the folders below it."""
        found, complete = await anyio.to_thread.run_sync(list_files, folder_path(root, folder))
        return NotebookList(
            notebooks=[display_path(root, path) for path in found], complete=complete
        )

    async def open_notebook(
        path: NotebookPath,
        create: Annotated[
            bool, Field(description="Make an empty notebook when there is none")
        ] = False,
        kernel_name: Annotated[
            str | None, Field(description="Kernel of a new notebook, from list_kernel_specs")
        ] = None,
    ) -> CallToolResult:
        """Open a notebook, or create it, and return its outline: one line for each cell."""
        target = notebook_path(root, path)
        if create:
            name = kernel_name or pool.default_name
            spec = await anyio.to_thread.run_sync(pool.spec, name)
            fresh = notebooks.new_notebook(name, spec.display_name, spec.language)
            opened = await files.create(target, fresh)
        else:
            opened = await files.open(target)
        return show(target, opened, Detail.OUTLINE)

    async def read_notebook(
        path: NotebookPath,
        detail: Annotated[
            Detail,
            Field(description="outline: first lines; sources: whole cells; full: outputs too"),
        ] = Detail.SOURCES,
        start: Annotated[int, Field(ge=0, description="Index of the first cell to return")] = 0,
        count: Annotated[int | None, Field(ge=1, description="How many cells to return")] = None,
    ) -> CallToolResult:
        """Read a notebook's cells. Long ones come in pieces; the last line says where to go on."""
        target = notebook_path(root, path)
        return show(target, await files.open(target), detail, start, count)

    async def read_cell(path: NotebookPath, cell: Cell) -> CallToolResult:
        """Read one cell with its source and outputs; images come back as images."""
        target = notebook_path(root, path)
        opened = await files.open(target)
        index = notebooks.find(opened.notebook, cell)
        node = opened.notebook.cells[index]
        view = cell_view(opened.notebook, index, Detail.SOURCES, settings.max_output)
        head = f"[notebook {display_path(root, target)}, revision {opened.revision}]"
        rendering = render(node.get("outputs", []), settings.max_output)
        return CallToolResult(
            content=[text_block(f"{head}\n{cell_text(view)}"), *content_of(rendering.parts)]
        )

    async def insert_cell(
        path: NotebookPath,
        source: Annotated[str, Field(description="Text of the new cell")],
        cell_type: CellType = "code",
        position: Annotated[
            int | None, Field(ge=0, description="Index the new cell gets; at the end if left out")
        ] = None,
        revision: Revision = None,
    ) -> EditReport:
        """Insert a cell into a notebook."""

        def decide(notebook: Notebook) -> tuple[str, int | None]:
            index = notebooks.insert(notebook, position, cell_type, source)
            return notebook.cells[index].id, index

        return await change(path, revision, decide)

    async def edit_cell(
        path: NotebookPath,
        cell: Cell,
        source: Annotated[str | None, Field(description="New text; unchanged if left out")] = None,
        cell_type: CellType | None = None,
        revision: Revision = None,
    ) -> EditReport:
        """Replace the text or the type of a cell. Its id stays; old outputs are removed."""

        def decide(notebook: Notebook) -> tuple[str, int | None]:
            index = notebooks.edit(notebook, cell, source, cell_type)
            return notebook.cells[index].id, index

        return await change(path, revision, decide)

    async def delete_cell(path: NotebookPath, cell: Cell, revision: Revision = None) -> EditReport:
        """Delete a cell from a notebook."""

        def decide(notebook: Notebook) -> tuple[str, int | None]:
            return notebooks.delete(notebook, cell).id, None

        return await change(path, revision, decide)

    async def move_cell(
        path: NotebookPath,
        cell: Cell,
        position: Annotated[int, Field(ge=0, description="Index the cell has afterwards")],
        revision: Revision = None,
    ) -> EditReport:
        """Move a cell to another place in its notebook."""

        def decide(notebook: Notebook) -> tuple[str, int | None]:
            index = notebooks.move(notebook, cell, position)
            return notebook.cells[index].id, index

        return await change(path, revision, decide)

    return [
        make_tool(list_notebooks, title="List notebooks", read_only=True, idempotent=True),
        make_tool(open_notebook, title="Open notebook", idempotent=True),
        make_tool(read_notebook, title="Read notebook", read_only=True, idempotent=True),
        make_tool(read_cell, title="Read cell", read_only=True, idempotent=True),
        make_tool(insert_cell, title="Insert cell"),
        make_tool(edit_cell, title="Edit cell", destructive=True, idempotent=True),
        make_tool(delete_cell, title="Delete cell", destructive=True),
        make_tool(move_cell, title="Move cell"),
    ]
