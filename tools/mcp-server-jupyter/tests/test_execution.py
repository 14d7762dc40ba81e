"""Running code in real kernels, through the server and the SDK's client."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.conftest import (
    Server,
    data_of,
    error_of,
    head_of,
    http_client,
    output_of,
    running,
    text_of,
    until,
)

pytestmark = pytest.mark.anyio

# A PNG of one pixel.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
async def client(shared_server: Server) -> AsyncIterator[Client]:
    async with http_client(shared_server.url) as client:
        yield client


@pytest.fixture(scope="module")
async def shared_kernel(shared_server: Server) -> AsyncIterator[str]:
    async with http_client(shared_server.url) as client:
        kernel_id = data_of(await client.call_tool("start_kernel", {}))["kernel_id"]
    yield kernel_id
    async with http_client(shared_server.url) as client:
        await client.call_tool("shutdown_kernel", {"kernel_id": kernel_id})


@pytest.fixture
async def kernel(client: Client, shared_kernel: str) -> str:
    """A kernel that is ready for code, whatever the tests before have done to it.

    Starting one takes most of a test's time, so variables of other tests may still be there.
    """
    if await _state(client, shared_kernel) != "idle":
        await client.call_tool("restart_kernel", {"kernel_id": shared_kernel})
    return shared_kernel


@pytest.fixture(scope="module")
def small_server() -> Iterator[Server]:
    """A server with narrow limits; tests end the kernels they start."""
    with running("--transport=http", "--port=0", "--max-output=1000", "--max-kernels=2") as server:
        yield server


async def _state(client: Client, kernel: str) -> str:
    listed = data_of(await client.call_tool("list_kernels", {}))["kernels"]
    return next(str(entry["state"]) for entry in listed if entry["kernel_id"] == kernel)


def _status(result: Any) -> str:
    """How an execution ended, which is the first word of the result."""
    return head_of(result).removeprefix("[").partition(",")[0]


def _number(result: Any) -> int:
    found = re.search(r"execution (\d+), \d+\.\d{3} s, kernel \w+\]$", head_of(result))
    assert found, head_of(result)
    return int(found[1])


async def test_variables_stay_and_numbers_grow(client: Client, kernel: str) -> None:
    quiet = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "x = 20"})
    assert output_of(quiet) == "[no output]"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "x + 1"})
    assert output_of(result) == "21"
    assert (_status(result), _number(result)) == ("ok", _number(quiet) + 1)
    assert kernel in head_of(result)


async def test_error_has_a_plain_traceback(client: Client, kernel: str) -> None:
    code = "def f():\n    return 1 / 0\nprint('before')\nf()"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert result.is_error
    assert _status(result) == "error"
    text = text_of(result)
    assert "before" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "line 4" in text
    assert "\x1b" not in text


async def test_images_are_image_content(client: Client, kernel: str) -> None:
    code = (
        "import base64\nfrom IPython.display import Image, display\n"
        f"display(Image(base64.b64decode({PIXEL!r}), format='png'))"
    )
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    images = [block for block in result.content if block.type == "image"]
    assert [image.mime_type for image in images] == ["image/png"]
    assert base64.b64decode(images[0].data) == base64.b64decode(PIXEL)


async def test_display_updates_and_clear_output(client: Client, kernel: str) -> None:
    code = (
        "from IPython.display import clear_output, display\n"
        "print('gone'); clear_output(wait=True); print('kept')\n"
        "handle = display('old', display_id=True); handle.update('new')"
    )
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert output_of(result) == "kept\n\n'new'"


async def test_time_out_interrupts_and_keeps_variables(client: Client, kernel: str) -> None:
    code = "z = 5\nprint('started', flush=True)\nwhile True: pass"
    call = {"kernel_id": kernel, "code": code, "timeout_seconds": 0.5}
    result = await client.call_tool("execute_code", call)
    assert result.is_error
    assert _status(result) == "timeout"
    assert "started" in text_of(result)
    assert "timed out after 0.5 s and was interrupted" in text_of(result)
    after = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "z"})
    assert output_of(after) == "5"


async def test_kernel_that_ignores_interrupts_is_refused_until_restarted(
    client: Client, kernel: str
) -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    call = {"kernel_id": kernel, "code": code, "timeout_seconds": 0.5}
    result = await client.call_tool("execute_code", call)
    assert _status(result) == "timeout"
    assert "restart_kernel" in text_of(result)
    refused = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1"})
    assert error_of(refused)[0] == "kernel_busy"
    restarted = await client.call_tool("restart_kernel", {"kernel_id": kernel})
    assert data_of(restarted)["kernel_id"] == kernel
    again = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1 + 1"})
    assert output_of(again) == "2"


async def test_dead_kernel_is_reported_and_can_be_restarted(client: Client, kernel: str) -> None:
    code = "import os; os._exit(1)"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert _status(result) == "kernel_died"
    refused = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1"})
    assert error_of(refused)[0] == "kernel_dead"
    assert await _state(client, kernel) == "dead"
    await client.call_tool("restart_kernel", {"kernel_id": kernel})
    again = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "'alive'"})
    assert output_of(again) == "'alive'"


async def test_interrupt_and_restart_while_code_runs(
    client: Client, kernel: str, tmp_path: Path
) -> None:
    outcomes: list[str] = []

    async def run(marker: Path) -> None:
        code = f"import pathlib; pathlib.Path({str(marker)!r}).touch()\nwhile True: pass"
        result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
        outcomes.append(_status(result))

    for verb in ("interrupt_kernel", "restart_kernel"):
        marker = tmp_path / verb
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, marker)
            await until(marker.exists)
            assert await _state(client, kernel) == "busy"
            done = await client.call_tool(verb, {"kernel_id": kernel})
            assert not done.is_error
    assert outcomes == ["interrupted", "kernel_died"]


async def test_code_that_was_interrupted_before_it_began_is_no_success(
    client: Client, kernel: str
) -> None:
    """An interrupt can hit the kernel between taking the request and running the code."""
    code = (
        "kernel = get_ipython().kernel\n"
        "async def interrupted_at_once(*arguments, **options):\n"
        "    del kernel.do_execute\n"
        "    raise KeyboardInterrupt\n"
        "kernel.do_execute = interrupted_at_once"
    )
    await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "6 * 7"})
    assert result.is_error
    assert _status(result) == "interrupted"
    again = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "6 * 7"})
    assert output_of(again) == "42"


async def test_calls_to_one_kernel_run_one_after_another(client: Client, kernel: str) -> None:
    await client.call_tool("execute_code", {"kernel_id": kernel, "code": "seen = []"})

    async def run(number: int) -> None:
        code = f"seen.append('in'); import time; time.sleep(0.02); seen.append('out'); {number}"
        result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
        assert output_of(result) == str(number)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(run, number)
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "seen"})
    assert output_of(result) == str(["in", "out"] * 5)


async def test_input_is_refused_with_advice(client: Client, kernel: str) -> None:
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "input('?')"})
    assert result.is_error
    assert "keyboard input, which this server cannot give" in text_of(result)


async def test_output_limit_says_how_much_is_missing(small_server: Server) -> None:
    async with http_client(small_server.url, token=None) as client:
        call = {"code": "print('x' * 5000); raise ValueError('last words')"}
        result = await client.call_tool("execute_code", call)
        [entry] = data_of(await client.call_tool("list_kernels", {}))["kernels"]
        await client.call_tool("shutdown_kernel", {"kernel_id": entry["kernel_id"]})
    text = output_of(result)
    assert "last words" in text
    found = re.search(r"\[output limit: ([\d,]+) characters were left out\]", text)
    assert found
    assert int(found[1].replace(",", "")) > 4000
    assert len(text) < 1300


async def test_endless_output_ends_at_the_time_limit(client: Client, kernel: str) -> None:
    call = {"kernel_id": kernel, "code": "while True: print('x' * 1000)", "timeout_seconds": 1}
    result = await client.call_tool("execute_code", call)
    assert _status(result) == "timeout"
    assert len(text_of(result)) < 60_000
    after = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1 + 1"})
    assert output_of(after) == "2"


async def test_kernels_know_nothing_of_the_token(client: Client, kernel: str) -> None:
    code = "import os; [name for name in os.environ if 'TOKEN' in name]"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert output_of(result) == "[]"


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("execute_code", {"code": "1", "timeout": 5}, "timeout"),
        ("execute_code", {"code": "1", "kernel_id": "nope"}, "there is no kernel 'nope'"),
        ("execute_code", {"code": "1", "timeout_seconds": -1}, "timeout_seconds"),
        ("start_kernel", {"kernel_name": "cobol"}, "installed: python3"),
        ("start_kernel", {"folder": "../.."}, "outside the allowed root"),
        ("restart_kernel", {"kernel_id": "nope"}, "there is no kernel 'nope'"),
    ],
)
async def test_bad_arguments_are_named(
    client: Client, tool: str, arguments: dict[str, Any], words: str
) -> None:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert words in text_of(result)


async def test_kernel_limit_and_choice_of_kernel(small_server: Server) -> None:
    async with http_client(small_server.url, token=None) as client:
        first = data_of(await client.call_tool("start_kernel", {}))["kernel_id"]
        assert first in head_of(await client.call_tool("execute_code", {"code": "a = 1"}))
        second = data_of(await client.call_tool("start_kernel", {}))["kernel_id"]
        full = await client.call_tool("start_kernel", {})
        assert error_of(full)[0] == "too_many_kernels"
        unclear = await client.call_tool("execute_code", {"code": "a"})
        assert "kernel_id" in text_of(unclear)
        assert len(small_server.descendants()) == 2
        for kernel_id in (first, second):
            await client.call_tool("shutdown_kernel", {"kernel_id": kernel_id})


async def test_tools_describe_themselves(client: Client) -> None:
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(tools) == {
        *("list_kernels", "list_kernel_specs", "start_kernel", "interrupt_kernel"),
        *("restart_kernel", "shutdown_kernel", "execute_code", "list_notebooks", "open_notebook"),
        *("read_notebook", "read_cell", "insert_cell", "edit_cell", "delete_cell", "move_cell"),
        *("run_cells", "run_notebook"),
    }
    for tool in tools.values():
        assert tool.description
        assert tool.annotations is not None
        assert tool.input_schema["additionalProperties"] is False
        for name, schema in tool.input_schema["properties"].items():
            assert schema.get("description") or name in ("cell_type",), (tool.name, name)
    read_only = {
        name
        for name, tool in tools.items()
        if tool.annotations is not None and tool.annotations.read_only_hint
    }
    assert read_only == {
        *("list_kernels", "list_kernel_specs", "list_notebooks", "read_notebook", "read_cell"),
    }
