"""What the tools return: data, content blocks, errors a model can act on.

A tool returns one of two things, because clients may show a model only the structured half of a
result (the MCP specification, "Structured Content", wants both halves to say the same):

- pure data, a `Result`: the SDK sends it as structured content and, the same JSON, as text;
- content blocks, a `CallToolResult` of texts and images without structured content.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from mcp_types import (
    CallToolResult,
    ContentBlock,
    ImageContent,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel, ConfigDict

from mcp_server_jupyter.errors import ServerError
from mcp_server_jupyter.rendering import Image, Part

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


def error_result(error: ServerError) -> CallToolResult:
    """Turn an expected failure into a tool result with `isError` set."""
    hint = f"\nWhat to do: {error.hint}" if error.hint else ""
    return CallToolResult(
        content=[text_block(f"{error.kind.value}: {error.message}{hint}")], is_error=True
    )


def text_block(text: str) -> TextContent:
    """Build a block of text."""
    return TextContent(type="text", text=text)


def content_of(parts: tuple[Part, ...]) -> list[ContentBlock]:
    """Turn rendered output into MCP content."""
    return [
        ImageContent(type="image", data=part.data, mime_type=part.mime_type)
        if isinstance(part, Image)
        else text_block(part.text)
        for part in parts
    ]


async def send_progress(
    context: Context, progress: float, total: float | None, message: str
) -> None:
    """Tell the client how far a call is, which keeps it from giving up on long ones.

    A client that cannot be told any more is no reason to end what runs.
    """
    try:
        await context.report_progress(progress, total, message)
    except Exception as error:
        log.debug("progress could not be sent: %r", error)


def make_tool(
    function: Callable[P, Coroutine[Any, Any, R]],
    *,
    title: str,
    name: str | None = None,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
) -> Tool:
    """Build a tool from a function: errors become results, unknown arguments are refused.

    The description is the function's docstring; hints are those of the MCP specification.
    """

    @functools.wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R | CallToolResult:
        try:
            return await function(*args, **kwargs)
        except ServerError as error:
            return error_result(error)

    tool = Tool.from_function(
        guarded,
        name=name,
        title=title,
        description=inspect.getdoc(function),
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        ),
    )
    return _refusing_unknown_arguments(tool)


def _refusing_unknown_arguments(tool: Tool) -> Tool:
    """Make a misspelt argument an error; the SDK alone would silently ignore it."""
    model = tool.fn_metadata.arg_model
    strict = cast(
        type[ArgModelBase],
        type(model.__name__, (model,), {"model_config": ConfigDict(extra="forbid")}),
    )
    tool.fn_metadata.arg_model = strict
    tool.parameters = strict.model_json_schema(by_alias=True)
    return tool


class Result(BaseModel):
    """Base of the results that are pure data."""

    model_config = ConfigDict(frozen=True)
