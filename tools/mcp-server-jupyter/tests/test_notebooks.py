"""Pure edits of notebooks, all formats, and what is not a notebook."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_server_jupyter import notebooks
from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.notebook_files import Opened
from mcp_server_jupyter.notebook_views import Detail, notebook_text, notebook_view
from mcp_server_jupyter.notebooks import CellRun, Notebook, parse, serialise


def cell(cell_id: str | None, source: Any = "x", cell_type: str = "code") -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": cell_type, "metadata": {"keep": 1}, "source": source}
    if cell_id is not None:
        made["id"] = cell_id
    if cell_type == "code":
        made |= {"outputs": [], "execution_count": None}
    return made


def raw(*cells: dict[str, Any], minor: int = 5) -> str:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": minor})


def abc() -> Notebook:
    return parse(raw(cell("a"), cell("b", ["l1\n", "l2"]), cell("c", "# t", "markdown")), "n")


def ids(notebook: Notebook) -> str:
    return "".join(node.id for node in notebook.cells)


V3 = {
    "metadata": {"name": ""},
    "nbformat": 3,
    "nbformat_minor": 0,
    "worksheets": [
        {
            "cells": [
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": ["1+1"],
                    "language": "python",
                    "metadata": {},
                    "outputs": [
                        {"output_type": "pyout", "prompt_number": 1, "text": ["2"], "metadata": {}}
                    ],
                    "prompt_number": 1,
                },
                {"cell_type": "heading", "level": 2, "source": ["T"], "metadata": {}},
            ],
            "metadata": {},
        }
    ],
}


def test_round_trip_keeps_everything() -> None:
    text = serialise(abc(), "n")
    assert serialise(parse(text, "n"), "n") == text
    assert text.endswith("}\n")
    assert json.loads(text)["cells"][1]["source"] == ["l1\n", "l2"]


@pytest.mark.parametrize(
    ("text", "upgraded_from"),
    [
        (raw(cell("a")), None),
        (raw(cell(None), minor=2), "4.2"),
        (raw(cell(None), minor=4), "4.4"),
        (raw(cell(None)), "4.5"),
        (raw(cell("a"), cell("a")), "4.5"),
        (json.dumps(V3), "3.0"),
    ],
)
def test_formats_are_upgraded(text: str, upgraded_from: str | None) -> None:
    notebook = parse(text, "n")
    assert notebook.upgraded_from == upgraded_from
    assert notebook.format == "4.5"
    assert len({node.id for node in notebook.cells}) == len(notebook.cells)
    assert parse(serialise(notebook, "n"), "n").upgraded_from is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"nbformat": 5, "nbformat_minor": 0}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        raw({"cell_type": "code"}),
        raw(cell("a", cell_type="weird")),
        "[" * 100_000,
    ],
)
def test_bad_notebooks_are_refused_by_name(text: str) -> None:
    with pytest.raises(ServerError) as caught:
        parse(text, "some.ipynb")
    assert caught.value.kind is ErrorKind.BAD_NOTEBOOK
    assert "some.ipynb" in caught.value.message


@pytest.mark.parametrize(
    ("reference", "index"), [("a", 0), ("c", 2), (0, 0), (2, 2), (-1, 2), ("1", 1), ("-3", 0)]
)
def test_find(reference: int | str, index: int) -> None:
    assert notebooks.find(abc(), reference) == index


@pytest.mark.parametrize("reference", ["zz", 3, -4, "3", ""])
def test_find_nothing(reference: int | str) -> None:
    with pytest.raises(ServerError, match="3 cells"):
        notebooks.find(abc(), reference)


def test_digits_are_an_id_first() -> None:
    assert notebooks.find(parse(raw(cell("1"), cell("0")), "n"), "0") == 1


def test_insert() -> None:
    notebook = abc()
    assert notebooks.insert(notebook, None, "raw", "end") == 3
    assert notebooks.insert(notebook, 0, "code", "start") == 0
    assert [node.source for node in notebook.cells] == ["start", "x", "l1\nl2", "# t", "end"]
    with pytest.raises(ServerError, match="position 9"):
        notebooks.insert(notebook, 9, "code", "")


def test_edit_keeps_id_and_metadata_and_drops_stale_outputs() -> None:
    notebook = abc()
    run = CellRun("a", "x", [{"output_type": "stream", "name": "stdout", "text": "o"}], 3)
    assert notebooks.store_runs(notebook, [run]) == []
    notebooks.edit(notebook, "a", "x", None)
    assert notebook.cells[0].execution_count == 3
    notebooks.edit(notebook, "a", "y", None)
    assert notebook.cells[0].outputs == []
    assert notebook.cells[0].execution_count is None
    notebooks.edit(notebook, "a", None, "markdown")
    assert notebook.cells[0] == {
        "id": "a",
        "cell_type": "markdown",
        "metadata": {"keep": 1},
        "source": "y",
    }


def test_delete_and_move() -> None:
    notebook = abc()
    assert notebooks.move(notebook, "a", 2) == 2
    assert ids(notebook) == "bca"
    assert notebooks.move(notebook, "a", 0) == 0
    assert ids(notebook) == "abc"
    with pytest.raises(ServerError):
        notebooks.move(notebook, "a", 3)
    assert notebooks.delete(notebook, -2).id == "b"
    assert ids(notebook) == "ac"


def test_outputs_of_changed_cells_are_not_stored() -> None:
    notebook = abc()
    runs = [
        CellRun("a", "other"),
        CellRun("gone", "x"),
        CellRun("c", "# t"),
        CellRun("b", "l1\nl2"),
    ]
    assert notebooks.store_runs(notebook, runs) == ["a", "gone", "c"]


def test_views_page_through_long_notebooks() -> None:
    notebook = parse(raw(*(cell(f"c{n}", "s" * 40) for n in range(10))), "n")
    opened = Opened(notebook, "r")
    view = notebook_view("n", opened, None, Detail.SOURCES, limit=100)
    assert [shown.index for shown in view.cells] == [0, 1]
    assert view.next_start == 2
    last = notebook_view("n", opened, None, Detail.SOURCES, limit=100, start=9)
    assert (len(last.cells), last.next_start) == (1, None)
    one = notebook_view("n", opened, None, Detail.OUTLINE, limit=10_000, start=3, count=2)
    assert (len(one.cells), one.next_start) == (2, 5)
    huge = notebook_view("n", opened, None, Detail.SOURCES, limit=10)
    assert len(huge.cells) == 1
    assert "left out" in huge.cells[0].source


def test_views_as_text() -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "42\n"}
    ran = {**cell("a", "x\ny"), "execution_count": 7, "outputs": [stream]}
    opened = Opened(parse(raw(ran, cell("b", ""), cell("c", "# t", "markdown")), "n"), "r1")
    outline = notebook_view("n.ipynb", opened, None, Detail.OUTLINE, limit=100, count=2)
    assert notebook_text(outline).splitlines() == [
        "[notebook n.ipynb, revision r1, format 4.5, asks for kernel specification none, "
        "running kernel none, 3 cells]",
        "[cell 0, id a: code, 2 lines, execution 7, 1 output] x",
        "[cell 1, id b: code, 0 lines]",
        "[more cells follow; go on with start 2]",
    ]
    full = notebook_view("n.ipynb", opened, "k1", Detail.FULL, limit=100)
    assert notebook_text(full).splitlines()[1:] == [
        "[cell 0, id a: code, 2 lines, execution 7, 1 output]",
        "x",
        "y",
        "[outputs of cell 0]",
        "42",
        "",
        "[cell 1, id b: code, 0 lines]",
        "[cell 2, id c: markdown, 1 line]",
        "# t",
    ]
    assert "running kernel k1" in notebook_text(full)
