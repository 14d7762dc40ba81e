"""The notebook tools through the server: edit, run, store, refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import nbformat
import pytest
from mcp import Client
from nbformat import v4

from tests.conftest import PATIENCE, Server, http_client, text_of

pytestmark = pytest.mark.anyio


class Caller:
    """Calls tools about one notebook that belongs to the test."""

    def __init__(self, client: Client, root: Path, name: str) -> None:
        self.client = client
        self.path = name
        self.file = root / name

    async def __call__(self, tool: str, **arguments: Any) -> Any:
        return await self.client.call_tool(tool, {"path": self.path, **arguments})

    async def report(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self(tool, **arguments)
        assert not result.is_error, text_of(result)
        report = result.structured_content
        assert isinstance(report, dict)
        return report

    async def error(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = await self(tool, **arguments)
        assert result.is_error
        error = result.structured_content["error"]
        assert isinstance(error, dict)
        return error

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
        listed = (await client.call_tool("list_kernels", {})).structured_content["kernels"]
        for kernel in listed:
            if kernel["notebook"] == caller.path:
                await client.call_tool("shutdown_kernel", {"kernel_id": kernel["kernel_id"]})


async def test_create_edit_and_read(notebook: Caller) -> None:
    missing = await notebook.error("open_notebook")
    assert missing["kind"] == "not_found"
    await notebook.report("open_notebook", create=True)
    first = await notebook.report("insert_cell", source="a = 1")
    second = await notebook.report("insert_cell", source="# T", cell_type="markdown", position=0)
    await notebook.report("edit_cell", cell=first["cell_id"], source="a = 2")
    moved = await notebook.report("move_cell", cell=second["cell_id"], position=1)
    assert [cell.source for cell in notebook.cells()] == ["a = 2", "# T"]
    assert [cell.id for cell in notebook.cells()] == [first["cell_id"], second["cell_id"]]
    read = await notebook.report("read_notebook")
    assert read["revision"] == moved["revision"]
    assert [cell["source"] for cell in read["cells"]] == ["a = 2", "# T"]
    await notebook.report("delete_cell", cell=0, revision=read["revision"])
    stale = await notebook.error("delete_cell", cell=0, revision=read["revision"])
    assert stale["kind"] == "changed_on_disk"
    assert len(notebook.cells()) == 1


async def test_run_whole_notebook_and_store_outputs(notebook: Caller) -> None:
    sources = ["x = 3", "print('out'); x", "", "from IPython.display import HTML; HTML('<b>')"]
    notebook.write(v4.new_markdown_cell("# T"), *map(v4.new_code_cell, sources))
    ids = [cell.id for cell in notebook.cells()]
    report = await notebook.report("run_notebook")
    assert [cell["status"] for cell in report["cells"]] == ["ok"] * 3
    cells = notebook.cells()
    assert [cell.id for cell in cells] == ids
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2, None, 3]
    assert cells[2].outputs[0] == {"output_type": "stream", "name": "stdout", "text": "out\n"}
    assert cells[2].outputs[1].data == {"text/plain": "3"}
    assert cells[4].outputs[0].data["text/html"] == "<b>"
    again = await notebook.report("run_notebook", restart=True)
    assert [cell["execution_count"] for cell in again["cells"]] == [1, 2, 3]
    assert again["kernel_id"] == report["kernel_id"]


async def test_run_stops_at_an_error_or_goes_on(notebook: Caller) -> None:
    notebook.write(*map(v4.new_code_cell, ["1", "1 / 0", "2"]))
    stopped = await notebook("run_notebook")
    assert stopped.is_error
    report = stopped.structured_content
    assert [cell["status"] for cell in report["cells"]] == ["ok", "error"]
    assert report["not_run"] == [notebook.cells()[2].id]
    assert notebook.cells()[1].outputs[0].ename == "ZeroDivisionError"
    assert "ZeroDivisionError" in text_of(stopped)
    whole = await notebook("run_notebook", stop_on_error=False)
    statuses = [cell["status"] for cell in whole.structured_content["cells"]]
    assert statuses == ["ok", "error", "ok"]


async def test_run_selected_cells_with_a_time_limit(notebook: Caller) -> None:
    notebook.write(*map(v4.new_code_cell, ["a = 1", "while True: pass", "a"]))
    report = await notebook.report("run_cells", cells=[0, -1])
    assert [cell["index"] for cell in report["cells"]] == [0, 2]
    result = await notebook("run_cells", cells=[notebook.cells()[1].id], timeout_seconds=0.5)
    assert result.structured_content["cells"][0]["status"] == "timeout"
    shown = await notebook("read_cell", cell=2)
    assert text_of(shown).endswith("a\n1")


async def test_display_updates_reach_earlier_cells(notebook: Caller) -> None:
    sources = [
        "from IPython.display import display; h = display('old', display_id=True)",
        "h.update('new')",
    ]
    notebook.write(*map(v4.new_code_cell, sources))
    await notebook.report("run_notebook")
    cells = notebook.cells()
    assert cells[0].outputs[0].data == {"text/plain": "'new'"}
    assert cells[1].outputs == []


async def test_edits_during_a_run_survive(notebook: Caller) -> None:
    gate = notebook.file.with_suffix(".gate")
    wait = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
    notebook.write(v4.new_code_cell(f"print('here', flush=True)\n{wait}"), v4.new_code_cell("1"))
    first = notebook.cells()[0].id
    outcome: list[Any] = []

    async def run() -> None:
        outcome.append(await notebook.report("run_cells", cells=[0]))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        await _until(lambda: _is_running(notebook))
        await notebook.report("insert_cell", source="# new", cell_type="markdown", position=0)
        await notebook.report("edit_cell", cell=1 + 1, source="2")
        gate.touch()
    assert outcome[0]["not_stored"] == []
    cells = notebook.cells()
    assert [cell.source for cell in cells][0::2] == ["# new", "2"]
    assert cells[1].id == first
    assert cells[1].outputs[0].text == "here\n"


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(PATIENCE):
        while not await condition():
            pass


async def _is_running(notebook: Caller) -> bool:
    listed = (await notebook.client.call_tool("list_kernels", {})).structured_content["kernels"]
    return any(k["notebook"] == notebook.path and k["state"] == "busy" for k in listed)


async def test_old_formats_get_lasting_ids_at_the_first_edit(notebook: Caller) -> None:
    old = {
        "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["a"]}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 2,
    }
    notebook.file.write_text(json.dumps(old))
    read = await notebook.report("read_notebook")
    assert (read["format"], read["cells"][0]["cell_id"]) == ("4.2", None)
    assert json.loads(notebook.file.read_text()) == old
    edited = await notebook.report("edit_cell", cell=0, source="b")
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
    assert "'ir'" in (await notebook.error("run_notebook"))["message"]


async def test_images_of_a_cell(notebook: Caller) -> None:
    output = v4.new_output("display_data", {"image/png": "QUJD", "text/plain": "<Figure>"})
    notebook.write(v4.new_code_cell("plot()", outputs=[output]))
    shown = await notebook("read_cell", cell=0)
    assert [block.data for block in shown.content if block.type == "image"] == ["QUJD"]


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
    assert result.is_error
    assert result.structured_content["error"]["kind"] == "outside_root"
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
        error = await notebook.error(tool, **more)
        assert error["kind"] == "bad_notebook"
        assert notebook.path in error["message"]
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
