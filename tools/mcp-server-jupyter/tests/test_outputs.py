"""Jupyter messages to outputs, and outputs to what a model reads."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbformat import v4

from mcp_server_jupyter.outputs import Displays, Output, OutputCollector
from mcp_server_jupyter.rendering import IMAGE_CHARACTERS, Image, Text, clip, plain, render

Message = tuple[str, dict[str, Any]]


def stream(text: str, name: str = "stdout") -> Message:
    return "stream", {"name": name, "text": text}


def display(text: str, display_id: str | None = None, kind: str = "display_data") -> Message:
    transient = {"display_id": display_id} if display_id else {}
    return kind, {"data": {"text/plain": text}, "metadata": {}, "transient": transient}


def collect(
    *messages: Message, displays: Displays | None = None, room: int = 10**6
) -> list[Output]:
    collector = OutputCollector(displays, room)
    for kind, content in messages:
        collector.apply(kind, content)
    return collector.outputs()


def shown(outputs: list[Output], limit: int = 10_000) -> str:
    return "|".join(part.text for part in render(outputs, limit).parts if isinstance(part, Text))


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([stream("a"), stream("b")], "ab"),
        ([stream("a"), stream("b", "stderr"), stream("c")], "a|[stderr]\nb|c"),
        ([stream("a"), display("b"), stream("c")], "a|b|c"),
        ([stream(""), display("x")], "x"),
        ([stream("a"), ("clear_output", {"wait": False})], ""),
        ([stream("a"), ("clear_output", {"wait": True})], "a"),
        ([stream("a"), ("clear_output", {"wait": True}), stream("b")], "b"),
        ([display("1", "i"), stream("s"), display("2", "i", "update_display_data")], "2|s"),
        ([display("1", "unknown", "update_display_data")], "1"),
        ([stream("10%\r50%\r100%\n")], "100%\n"),
        ([stream("\x1b[31mred\x1b[0m")], "red"),
        ([("status", {"execution_state": "busy"}), ("comm_open", {"data": {}})], ""),
    ],
)
def test_collect_and_render(messages: list[Message], expected: str) -> None:
    outputs = collect(*messages)
    assert shown(outputs) == expected
    cell = v4.new_code_cell("x", outputs=nbformat.from_dict(outputs))
    nbformat.validate(v4.new_notebook(cells=[cell]))


def test_display_updates_reach_earlier_cells_of_a_run() -> None:
    displays = Displays()
    first = collect(display("before", "i"), displays=displays)
    assert collect(display("after", "i", "update_display_data"), displays=displays) == []
    assert shown(first) == "after"


def test_execute_input_and_result_are_numbered() -> None:
    collector = OutputCollector()
    collector.apply("execute_input", {"code": "x", "execution_count": 7})
    collector.apply("execute_result", {"data": {"text/plain": "1"}, "execution_count": 7})
    assert collector.execution_count == 7
    assert collector.outputs()[0]["execution_count"] == 7


def test_stored_output_is_bounded_and_counted() -> None:
    collector = OutputCollector(stored_characters=10)
    for _ in range(5):
        collector.apply(*stream("12345678"))
    collector.apply(*display("too long for the rest"))
    assert collector.outputs()[0]["text"] == "1234567812"
    assert collector.dropped_characters == 30 + len("too long for the rest")
    rendering = render(collector.outputs(), 100, collector.dropped_characters)
    assert rendering.cut_characters == collector.dropped_characters
    assert rendering.parts[-1] == Text("[output limit: 51 characters were left out]")


def test_errors_are_plain_and_input_gets_advice() -> None:
    content = {"ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mline\x1b[0m", "E: v"]}
    assert shown(collect(("error", content))) == "line\nE: v"
    refused = {"ename": "StdinNotImplementedError", "evalue": "no", "traceback": []}
    assert "keyboard input" in shown(collect(("error", refused)))


def test_limit_counts_what_is_cut_and_keeps_the_end() -> None:
    outputs = collect(
        stream("x" * 5000), ("error", {"ename": "E", "evalue": "boom", "traceback": []})
    )
    rendering = render(outputs, 1000)
    text = shown(outputs, 1000)
    assert "E: boom" in text
    assert rendering.cut_characters == 5000 + len("E: boom") - 1000
    assert f"{rendering.cut_characters:,} characters were left out" in text
    assert len(text) < 1200


def test_clip_keeps_both_ends() -> None:
    text, removed = clip("a" * 60 + "z" * 40, 30)
    assert removed == 70
    assert text.startswith("a" * 20 + "\n")
    assert text.endswith("\n" + "z" * 10)
    assert clip("short", 5) == ("short", 0)


def test_images() -> None:
    bundle = {"image/png": "QUJD\nREVG\n", "text/plain": "<Figure>"}
    rendering = render([{"output_type": "display_data", "data": bundle, "metadata": {}}], 100)
    assert rendering.parts == (Text("[image 1: image/png]"), Image("QUJDREVG", "image/png"))
    huge = {"image/png": "A" * (IMAGE_CHARACTERS + 4)}
    parts = render([{"output_type": "display_data", "data": huge, "metadata": {}}], 100).parts
    assert [type(part) for part in parts] == [Text, Text]
    assert "left out" in str(parts[-1])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"text/html": "<b>", "text/plain": "t"}, "t"),
        ({"text/html": ["<b>", "x"]}, "<b>x"),
        ({"application/json": {"a": 1}}, '{"a": 1}'),
        (
            {"application/x-widget": {}},
            "[output of type application/x-widget, which has no text form]",
        ),
        ({"text/markdown": "# m", "text/plain": "t"}, "# m"),
    ],
)
def test_choice_of_mime_type(data: dict[str, Any], expected: str) -> None:
    assert shown([{"output_type": "display_data", "data": data, "metadata": {}}]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb", "a\nb"),
        ("abc\rX", "Xbc"),
        ("ab\bc", "ac"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_plain(raw: str, expected: str) -> None:
    assert plain(raw) == expected
