"""Notebook files: atomic, serialised, and never over somebody else's change."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import anyio
import pytest

from mcp_server_jupyter import notebooks
from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.notebook_files import NotebookFiles
from mcp_server_jupyter.notebooks import Notebook, new_notebook

pytestmark = pytest.mark.anyio


@pytest.fixture
def files(tmp_path: Path) -> NotebookFiles:
    return NotebookFiles(tmp_path.resolve())


async def made(files: NotebookFiles) -> Path:
    path = files.root / "n.ipynb"
    await files.create(path, new_notebook("python3", "Python 3", "python"))
    return path


def append(source: str, notebook: Notebook) -> int:
    return notebooks.insert(notebook, None, "code", source)


async def test_create_opens_what_exists(files: NotebookFiles) -> None:
    path = await made(files)
    await files.change(path, lambda notebook: append("mine", notebook))
    again = await files.create(path, new_notebook("other", "Other", "x"))
    assert [cell.source for cell in again.notebook.cells] == ["mine"]


async def test_concurrent_changes_are_all_kept(files: NotebookFiles) -> None:
    path = await made(files)
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(
                files.change, path, lambda notebook, number=number: append(str(number), notebook)
            )
    sources = {cell.source for cell in (await files.open(path)).notebook.cells}
    assert sources == {str(number) for number in range(20)}
    assert [left.name for left in files.root.glob("*")] == ["n.ipynb"]


async def test_revision_protects_against_changes_in_between(files: NotebookFiles) -> None:
    path = await made(files)
    seen = (await files.open(path)).revision
    await files.change(path, lambda notebook: append("first", notebook), seen)
    with pytest.raises(ServerError) as caught:
        await files.change(path, lambda notebook: append("second", notebook), seen)
    assert caught.value.kind is ErrorKind.CHANGED_ON_DISK


async def test_change_on_disk_during_an_edit_wins(files: NotebookFiles) -> None:
    path = await made(files)
    other = path.read_text().replace("Python 3", "Changed")

    def change(notebook: Notebook) -> None:
        path.write_text(other)

    with pytest.raises(ServerError) as caught:
        await files.change(path, change)
    assert caught.value.kind is ErrorKind.CHANGED_ON_DISK
    assert path.read_text() == other
    assert [left.name for left in files.root.glob("*")] == ["n.ipynb"]


async def test_failed_change_leaves_the_file(files: NotebookFiles) -> None:
    path = await made(files)
    before = path.read_bytes()

    def spoil(notebook: Notebook) -> None:
        notebook.node.metadata.kernelspec = "not an object"

    with pytest.raises(ServerError, match="invalid notebook"):
        await files.change(path, spoil)
    assert path.read_bytes() == before


async def test_permissions_are_kept(files: NotebookFiles) -> None:
    path = await made(files)
    path.chmod(0o640)
    await files.change(path, lambda notebook: append("x", notebook))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_read_problems_name_the_file(files: NotebookFiles) -> None:
    (files.root / "bytes.ipynb").write_bytes(b"\xff\xfe")
    (files.root / "folder.ipynb").mkdir()
    os.mkfifo(files.root / "pipe.ipynb")
    for name in ("bytes.ipynb", "folder.ipynb", "pipe.ipynb", "missing.ipynb"):
        with pytest.raises(ServerError, match=name):
            await files.open(files.root / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_unwritable_folder_is_named(files: NotebookFiles) -> None:
    path = await made(files)
    files.root.chmod(0o500)
    with pytest.raises(ServerError, match="cannot write 'n"):
        await files.change(path, lambda notebook: append("x", notebook))


async def test_new_file_where_a_folder_is_missing_in_a_file(files: NotebookFiles) -> None:
    (files.root / "file").write_text("")
    with pytest.raises(ServerError, match="cannot write"):
        await files.create(files.root / "file" / "n.ipynb", new_notebook("p", "P", "python"))
