"""What code produced: Jupyter messages folded into notebook outputs.

Pure: takes message types and contents as the Jupyter messaging specification (version 5, "Messages
on the IOPub channel") defines them and keeps nbformat 4 outputs. Knows nothing of kernels, MCP or
files. `rendering` turns the outputs into what a tool returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Output = dict[str, Any]

# Outputs are kept for the notebook and for the reply. Beyond this many characters in one execution
# text is counted but dropped, so that an endless print loop cannot exhaust memory.
STORED_CHARACTERS = 20_000_000


@dataclass
class Displays:
    """Outputs by display id, shared by the executions of one run so that updates find them."""

    by_id: dict[str, list[Output]] = field(default_factory=dict)


class OutputCollector:
    """The outputs of one execution, in the order a notebook would show them."""

    def __init__(
        self, displays: Displays | None = None, stored_characters: int = STORED_CHARACTERS
    ) -> None:
        self.displays = displays if displays is not None else Displays()
        self.execution_count: int | None = None
        self.dropped_characters = 0
        self.failed = False
        self._room = stored_characters
        self._outputs: list[Output] = []
        self._stream_parts: list[str] = []
        self._clear_on_next = False

    def apply(self, message_type: str, content: Mapping[str, Any]) -> None:
        """Fold one IOPub message in; types that carry no output are ignored."""
        if message_type == "execute_input":
            self.execution_count = content.get("execution_count")
        elif message_type == "stream":
            self._add_stream(str(content.get("name", "stdout")), str(content.get("text", "")))
        elif message_type in ("display_data", "execute_result"):
            self._add_display(message_type, content)
        elif message_type == "update_display_data":
            self._update_display(content)
        elif message_type == "error":
            self._add_error(content)
        elif message_type == "clear_output":
            if content.get("wait"):
                self._clear_on_next = True
            else:
                self._clear()

    def outputs(self) -> list[Output]:
        """Return the outputs collected so far; the dictionaries are the live ones."""
        self._close_stream()
        return list(self._outputs)

    def _add_stream(self, name: str, text: str) -> None:
        if not text:
            return
        self._before_output()
        last = self._outputs[-1] if self._outputs else None
        if last is None or last["output_type"] != "stream" or last["name"] != name:
            self._close_stream()
            self._outputs.append({"output_type": "stream", "name": name, "text": ""})
        self._stream_parts.append(self._take(text))

    def _close_stream(self) -> None:
        """Join the parts of the open stream once, instead of at every message."""
        if self._stream_parts:
            self._outputs[-1]["text"] += "".join(self._stream_parts)
            self._stream_parts = []

    def _add_display(self, message_type: str, content: Mapping[str, Any]) -> None:
        self._before_output()
        self._close_stream()
        output: Output = {
            "output_type": message_type,
            "data": self._kept_data(content),
            "metadata": dict(content.get("metadata") or {}),
        }
        if message_type == "execute_result":
            output["execution_count"] = content.get("execution_count")
        self._outputs.append(output)
        display_id = (content.get("transient") or {}).get("display_id")
        if display_id is not None:
            self.displays.by_id.setdefault(str(display_id), []).append(output)

    def _update_display(self, content: Mapping[str, Any]) -> None:
        """Change every output shown under the display id; an id never seen becomes a new output."""
        display_id = (content.get("transient") or {}).get("display_id")
        known = self.displays.by_id.get(str(display_id), [])
        if not known:
            self._add_display("display_data", content)
            return
        data = self._kept_data(content)
        for output in known:
            output["data"] = dict(data)
            output["metadata"] = dict(content.get("metadata") or {})

    def _add_error(self, content: Mapping[str, Any]) -> None:
        self._before_output()
        self._close_stream()
        self.failed = True
        self._outputs.append(
            {
                "output_type": "error",
                "ename": str(content.get("ename", "")),
                "evalue": str(content.get("evalue", "")),
                "traceback": [str(line) for line in content.get("traceback") or []],
            }
        )

    def _before_output(self) -> None:
        if self._clear_on_next:
            self._clear()

    def _clear(self) -> None:
        self._clear_on_next = False
        self._stream_parts = []
        self._outputs = []

    def _kept_data(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the MIME bundle, without the parts for which there is no room any more."""
        kept: dict[str, Any] = {}
        for mime, value in (content.get("data") or {}).items():
            size = len(value) if isinstance(value, str) else len(repr(value))
            if size > self._room:
                self.dropped_characters += size
                continue
            self._room -= size
            kept[str(mime)] = value
        return kept

    def _take(self, text: str) -> str:
        kept = text[: max(self._room, 0)]
        self._room -= len(kept)
        self.dropped_characters += len(text) - len(kept)
        return kept
