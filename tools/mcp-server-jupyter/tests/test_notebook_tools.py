"""The notebook tools through the server: edit, run, store, refuse."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import nbformat
import pytest
from mcp import Client
from nbformat import v4

from tests.conftest import (
    PATIENCE,
    Server,
    data_of,
    error_of,
    head_of,
    http_client,
    output_of,
    text_of,
)

pytestmark = pytest.mark.anyio


class Shown:
    """The facts a notebook tool writes into its text, and the text itself."""

    def __init__(self, text: str) -> None:
        self.text = text

    def fact(self, name: str) -> str:
        found = re.search(rf"^\[notebook .*\b{name} ([\w.]+)[],]", self.text, re.MULTILINE)
        assert found, self.text
        return found[1]

    def cells(self) -> list[tuple[int, str, str]]:
        """Index, id and first fact (type or status) of each cell."""
        found = re.findall(r"^\[cell (\d+), (without id|id \S+): (\w+)", self.text, re.MULTILINE)
        return [(int(index), name.removeprefix("id "), fact) for index, name, fact in found]

    def executions(self) -> list[int]:
        return [int(n) for n in re.findall(r"^\[cell .* execution (\d+),", self.text, re.MULTILINE)]


class Caller:
    """Calls tools about one notebook that belongs to the test."""

    def __init__(self, client: Client, root: Path, name: str) -> None:
        self.client = client
        self.path = name
        self.file = root / name

    async def __call__(self, tool: str, **arguments: Any) -> Any:
        return await self.client.call_tool(tool, {"path": self.path, **arguments})

    async def edit(self, tool: str, **arguments: Any) -> dict[str, Any]:
        return data_of(await self(tool, **arguments))

    async def shown(self, tool: str, **arguments: Any) -> Shown:
        result = await self(tool, **arguments)
        assert not result.is_error, text_of(result)
        return Shown(text_of(result))

    async def error(self, tool: str, **arguments: Any) -> tuple[str, str]:
        return error_of(await self(tool, **arguments))

    def write(self, *cells: Any) -> None:
        nbformat.write(v4.new_notebook(cells=list(cells)), self.file)

    def cells(self) -> list[Any]:
        node = nbformat.read(self.file, as_version=4)
        nbformat.validate(node)
        return list(node.cells)


@pytest.fixture
async def notebook(
    shared_server: Server, shared_root: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Caller]:
    async with http_client(shared_server.url) as client:
        caller = Caller(client, shared_root, f"{request.node.name}.ipynb")
        yield caller
        listed = data_of(await client.call_tool("list_kernels", {}))["kernels"]
        for kernel in listed:
            if kernel["notebook"] == caller.path:
                await client.call_tool("shutdown_kernel", {"kernel_id": kernel["kernel_id"]})


@pytest.fixture(scope="module")
async def kernel(shared_server: Server) -> AsyncIterator[str]:
    """A kernel for the tests that are not about which kernel a notebook gets."""
    async with http_client(shared_server.url) as client:
        kernel_id = data_of(await client.call_tool("start_kernel", {}))["kernel_id"]
    yield str(kernel_id)
    async with http_client(shared_server.url) as client:
        await client.call_tool("shutdown_kernel", {"kernel_id": kernel_id})


async def test_create_edit_and_read(notebook: Caller) -> None:
    assert (await notebook.error("open_notebook"))[0] == "not_found"
    created = await notebook.shown("open_notebook", create=True)
    assert "0 cells" in created.text
    first = await notebook.edit("insert_cell", source="a = 1")
    second = await notebook.edit("insert_cell", source="# T", cell_type="markdown", position=0)
    await notebook.edit("edit_cell", cell=first["cell_id"], source="a = 2")
    moved = await notebook.edit("move_cell", cell=second["cell_id"], position=1)
    assert [cell.source for cell in notebook.cells()] == ["a = 2", "# T"]
    assert [cell.id for cell in notebook.cells()] == [first["cell_id"], second["cell_id"]]
    read = await notebook.shown("read_notebook")
    revision = read.fact("revision")
    assert revision == moved["revision"]
    assert read.text.splitlines()[1:] == [
        f"[cell 0, id {first['cell_id']}: code, 1 line]",
        "a = 2",
        f"[cell 1, id {second['cell_id']}: markdown, 1 line]",
        "# T",
    ]
    assert (await notebook.shown("read_cell", cell=0)).fact("revision") == revision
    await notebook.edit("delete_cell", cell=0, revision=revision)
    stale = await notebook.error("delete_cell", cell=0, revision=revision)
    assert stale[0] == "changed_on_disk"
    assert len(notebook.cells()) == 1


async def test_run_whole_notebook_and_store_outputs(notebook: Caller) -> None:
    sources = ["x = 3", "print('out'); x", "", "from IPython.display import HTML; HTML('<b>')"]
    notebook.write(v4.new_markdown_cell("# T"), *map(v4.new_code_cell, sources))
    ids = [cell.id for cell in notebook.cells()]
    run = await notebook.shown("run_notebook")
    assert run.text.startswith("[3 of 3 cells ran without error]\n[notebook ")
    assert run.cells() == [(1, ids[1], "ok"), (2, ids[2], "ok"), (4, ids[4], "ok")]
    cells = notebook.cells()
    assert [cell.id for cell in cells] == ids
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2, None, 3]
    assert cells[2].outputs[0] == {"output_type": "stream", "name": "stdout", "text": "out\n"}
    assert cells[2].outputs[1].data == {"text/plain": "3"}
    assert cells[4].outputs[0].data["text/html"] == "<b>"
    read = await notebook.shown("read_notebook", detail="full", start=2, count=1)
    assert read.fact("revision") == run.fact("revision")
    assert read.text.splitlines()[1:] == [
        f"[cell 2, id {ids[2]}: code, 1 line, execution 2, 2 outputs]",
        "print('out'); x",
        "[outputs of cell 2]",
        "out",
        "",
        "3",
        "[more cells follow; go on with start 3]",
    ]
    again = await notebook.shown("run_notebook", restart=True)
    assert again.executions() == [1, 2, 3]
    assert again.fact("kernel") == run.fact("kernel")


async def test_run_stops_at_an_error_or_goes_on(notebook: Caller, kernel: str) -> None:
    notebook.write(*map(v4.new_code_cell, ["1", "1 / 0", "2"]))
    stopped = await notebook("run_notebook", kernel_id=kernel)
    assert stopped.is_error
    shown = Shown(text_of(stopped))
    assert [status for _, _, status in shown.cells()] == ["ok", "error"]
    assert f"[not run: {notebook.cells()[2].id}]" in head_of(stopped)
    assert notebook.cells()[1].outputs[0].ename == "ZeroDivisionError"
    assert "ZeroDivisionError" in output_of(stopped)
    whole = await notebook("run_notebook", stop_on_error=False, kernel_id=kernel)
    statuses = [status for _, _, status in Shown(text_of(whole)).cells()]
    assert statuses == ["ok", "error", "ok"]
    assert "[2 of 3 cells ran without error]" in head_of(whole)


async def test_run_selected_cells_with_a_time_limit(notebook: Caller, kernel: str) -> None:
    notebook.write(*map(v4.new_code_cell, ["a = 1", "while True: pass", "a"]))
    run = await notebook.shown("run_cells", cells=[0, -1], kernel_id=kernel)
    assert [index for index, _, _ in run.cells()] == [0, 2]
    slow = notebook.cells()[1].id
    result = await notebook("run_cells", cells=[slow], timeout_seconds=0.5, kernel_id=kernel)
    assert Shown(text_of(result)).cells() == [(1, slow, "timeout")]
    assert "timed out after 0.5 s" in output_of(result)
    shown = await notebook("read_cell", cell=2)
    assert head_of(shown).endswith("\na")
    assert output_of(shown) == "1"


async def test_display_updates_reach_earlier_cells(notebook: Caller, kernel: str) -> None:
    sources = [
        "from IPython.display import display; h = display('old', display_id=True)",
        "h.update('new')",
    ]
    notebook.write(*map(v4.new_code_cell, sources))
    await notebook.shown("run_notebook", kernel_id=kernel)
    cells = notebook.cells()
    assert cells[0].outputs[0].data == {"text/plain": "'new'"}
    assert cells[1].outputs == []


async def test_edits_during_a_run_survive(notebook: Caller) -> None:
    gate = notebook.file.with_suffix(".gate")
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    looping = f"print('here', flush=True)\n{wait}"
    notebook.write(*map(v4.new_code_cell, [looping, "print('lost')", "1"]))
    first, second = (cell.id for cell in notebook.cells()[:2])
    outcome: list[Shown] = []

    async def run() -> None:
        outcome.append(await notebook.shown("run_cells", cells=[0, 1]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await _until(lambda: _is_running(notebook))
        await notebook.edit("insert_cell", source="# new", cell_type="markdown", position=0)
        await notebook.edit("edit_cell", cell=2, source="changed")
        await notebook.edit("edit_cell", cell=3, source="2")
        gate.touch()
    changed = f"[outputs not stored, because the cells were changed meanwhile: {second}]"
    assert changed in outcome[0].text
    assert "lost" in outcome[0].text
    cells = notebook.cells()
    assert [cell.source for cell in cells] == ["# new", looping, "changed", "2"]
    assert cells[1].id == first
    assert cells[1].outputs[0].text == "here\n"
    assert cells[2].outputs == []


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE):
        while not await condition():
            pass


async def _is_running(notebook: Caller) -> bool:
    listed = data_of(await notebook.client.call_tool("list_kernels", {}))["kernels"]
    return any(k["notebook"] == notebook.path and k["state"] == "busy" for k in listed)


async def test_old_formats_get_lasting_ids_at_the_first_edit(notebook: Caller) -> None:
    old = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["a"]}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 2,
    }
    notebook.file.write_text(json.dumps(old))
    read = await notebook.shown("read_notebook")
    assert read.fact("format") == "4.2"
    assert read.cells() == [(0, "without id", "markdown")]
    assert json.loads(notebook.file.read_text()) == old
    edited = await notebook.edit("edit_cell", cell=0, source="b")
    assert edited["upgraded_from"] == "4.2"
    assert notebook.cells()[0].id == edited["cell_id"]


async def test_unknown_kernel_of_a_python_notebook_is_replaced(notebook: Caller) -> None:
    notebook.write(v4.new_code_cell("6 * 7"))
    node = nbformat.read(notebook.file, as_version=4)
    node.metadata.kernelspec = {"name": "conda-x", "display_name": "x", "language": "python"}
    nbformat.write(node, notebook.file)
    result = await notebook("run_notebook")
    assert "42" in text_of(result)
    assert "'conda-x', which is not installed" in text_of(result)
    node.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}
    nbformat.write(node, notebook.file)
    assert "'ir'" in (await notebook.error("run_notebook"))[1]


async def test_images_of_a_cell(notebook: Caller) -> None:
    output = v4.new_output("display_data", {"image/png": "QUJD", "text/plain": "<Figure>"})
    notebook.write(v4.new_code_cell("plot()", outputs=[output]))
    shown = await notebook("read_cell", cell=0)
    assert [block.data for block in shown.content if block.type == "image"] == ["QUJD"]
    assert output_of(shown) == "[image 1: image/png]"


@pytest.mark.parametrize("path", ["../x.ipynb", "/etc/x.ipynb", "a/../../x.ipynb", "link.ipynb"])
@pytest.mark.parametrize("tool", ["open_notebook", "read_notebook", "run_notebook"])
async def test_paths_outside_the_root_are_refused(
    shared_server: Server, shared_root: Path, tool: str, path: str, tmp_path: Path
) -> None:
    link = shared_root / "link.ipynb"
    if not link.is_symlink():
        link.symlink_to(shared_root.parent / "elsewhere.ipynb")
    async with http_client(shared_server.url) as client:
        arguments = {"path": path, "create": True} if tool == "open_notebook" else {"path": path}
        result = await client.call_tool(tool, arguments)
    assert error_of(result)[0] == "outside_root"
    assert path in text_of(result)
    assert str(shared_root) in text_of(result)
    assert not (shared_root.parent / "x.ipynb").exists()


async def test_broken_notebooks_are_refused_and_left_alone(notebook: Caller) -> None:
    notebook.file.write_text("{broken")
    for tool, more in (
        ("read_notebook", {}),
        ("insert_cell", {"source": "x"}),
        ("run_notebook", {}),
    ):
        kind, message = await notebook.error(tool, **more)
        assert kind == "bad_notebook"
        assert notebook.path in message
    assert notebook.file.read_text() == "{broken"


async def test_list_notebooks(notebook: Caller, shared_root: Path) -> None:
    folder = shared_root / "listing"
    (folder / ".hidden").mkdir(parents=True)
    for name in ("b.ipynb", "a.ipynb", "c.txt", ".hidden/d.ipynb"):
        (folder / name).touch()
    result = await notebook.client.call_tool("list_notebooks", {"folder": "listing"})
    assert result.structured_content == {
        "notebooks": ["listing/a.ipynb", "listing/b.ipynb"],
        "complete": True,
    }
