"""Outputs as a model reads them: plain text and images, within a size limit.

Pure: nbformat 4 outputs in, text and image parts out. Escape sequences are removed, progress bars
collapse to their last state, and whatever is cut is counted in a note.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_server_jupyter.outputs import Output

IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
# Base64 characters of images in one reply: about 6 MB of picture, more than clients display.
IMAGE_CHARACTERS = 8_000_000

# Richest first of those a model can read as text. HTML comes last: it is mostly markup, and
# libraries nearly always send text/plain beside it.
_TEXT_TYPES = (
    "text/markdown",
    "text/plain",
    "text/latex",
    "application/json",
    "image/svg+xml",
    "text/html",
)

# ECMA-48: CSI sequences, OSC sequences (ended by BEL or ST) and two-character escapes.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
# Halves of surrogate pairs are legal in JSON escapes but cannot be sent as UTF-8.
_SURROGATES = re.compile("[\ud800-\udfff]")
_INPUT_REFUSED = ("StdinNotImplementedError",)


@dataclass(frozen=True)
class Text:
    """Text for the reply."""

    text: str


@dataclass(frozen=True)
class Image:
    """An image for the reply: base64 data as Jupyter sends it, and its MIME type."""

    data: str
    mime_type: str


Part = Text | Image


@dataclass(frozen=True)
class Rendering:
    """The parts of a reply and how many characters of text had to be left out."""

    parts: tuple[Part, ...]
    cut_characters: int


def render(outputs: Iterable[Output], limit: int, dropped: int = 0) -> Rendering:
    """Render outputs within `limit` characters of text.

    `dropped` is what the collector had already thrown away; it is added to the count. Room is
    shared out from the end, because results and tracebacks come last and say the most.
    """
    parts = [part for output in outputs for part in _parts(output)]
    texts, images = _join(parts)
    cut = dropped
    clipped: list[Part] = []
    room = limit
    for text in reversed(texts):
        shortened, removed = clip(text, room) if room > 0 else ("", len(text))
        room -= len(text) - removed
        cut += removed
        if shortened:
            clipped.insert(0, Text(shortened))
    if cut:
        clipped.append(Text(f"[output limit: {cut:,} characters were left out]"))
    return Rendering((*clipped, *_within_image_limit(images)), cut)


def clip(text: str, limit: int) -> tuple[str, int]:
    """Shorten text to about `limit` characters, keeping both ends.

    Returns the text, with a note where something is missing, and how many characters are missing.
    """
    if len(text) <= limit:
        return text, 0
    tail = limit // 3
    head = limit - tail
    removed = len(text) - limit
    note = f"\n[… {removed:,} of {len(text):,} characters left out …]\n"
    return text[:head] + note + text[len(text) - tail :], removed


def plain(text: str) -> str:
    """Remove escape sequences and apply carriage returns and backspaces, as a terminal would."""
    text = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", text))
    text = text.replace("\r\n", "\n")
    if "\r" in text or "\b" in text:
        text = "\n".join(map(_overwrite, text.split("\n")))
    return text


def _overwrite(line: str) -> str:
    if "\r" not in line and "\b" not in line:
        return line
    cells: list[str] = []
    column = 0
    for character in line:
        if character == "\r":
            column = 0
        elif character == "\b":
            column = max(column - 1, 0)
        else:
            cells[column : column + 1] = [character]
            column += 1
    return "".join(cells)


def _parts(output: Output) -> list[Part]:
    kind = output["output_type"]
    if kind == "stream":
        text = plain(_joined(output["text"]))
        return [Text(f"[stderr]\n{text}" if output["name"] == "stderr" else text)]
    if kind == "error":
        return [Text(_error_text(output))]
    return _bundle_parts(output.get("data", {}))


def _error_text(output: Output) -> str:
    traceback = plain("\n".join(output["traceback"]))
    summary = f"{output['ename']}: {output['evalue']}"
    text = traceback if summary.strip(": ") in traceback else f"{traceback}\n{summary}".strip()
    if output["ename"] in _INPUT_REFUSED:
        text += (
            "\n[the code asked for keyboard input, which this server cannot give; "
            "put the value into the code instead of calling input() or getpass()]"
        )
    return text


def _bundle_parts(data: dict[str, Any]) -> list[Part]:
    """Choose what to show of a MIME bundle: an image if there is one, else the best text."""
    for mime in IMAGE_TYPES:
        if mime in data:
            return [Image("".join(_joined(data[mime]).split()), mime)]
    for mime in _TEXT_TYPES:
        if mime in data:
            value = data[mime]
            text = json.dumps(value) if mime == "application/json" else _joined(value)
            return [Text(plain(text))]
    if data:
        return [Text(f"[output of type {', '.join(sorted(data))}, which has no text form]")]
    return []


def _joined(value: Any) -> str:
    """Return text that nbformat may keep as one string or as a list of lines."""
    if isinstance(value, list):
        return "".join(str(line) for line in value)
    return value if isinstance(value, str) else json.dumps(value)


def _join(parts: Sequence[Part]) -> tuple[list[str], list[Image]]:
    texts: list[str] = []
    images: list[Image] = []
    for part in parts:
        if isinstance(part, Image):
            images.append(part)
            texts.append(f"[image {len(images)}: {part.mime_type}]")
        elif part.text:
            texts.append(part.text)
    return texts, images


def _within_image_limit(images: Sequence[Image]) -> list[Part]:
    kept: list[Part] = []
    room = IMAGE_CHARACTERS
    for number, image in enumerate(images, start=1):
        if len(image.data) <= room:
            room -= len(image.data)
            kept.append(image)
        else:
            size = len(image.data) * 3 // 4
            kept.append(
                Text(f"[image {number} left out: {size:,} bytes is more than fits a reply]")
            )
    return kept
