"""Running code in real kernels, through the server and the SDK's client."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.conftest import PATIENCE, Server, http_client, running, text_of

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


@pytest.fixture
async def kernel(client: Client) -> AsyncIterator[str]:
    """A kernel of the test's own."""
    started = await client.call_tool("start_kernel", {})
    kernel_id = _report(started)["kernel_id"]
    yield kernel_id
    await client.call_tool("shutdown_kernel", {"kernel_id": kernel_id})


def _report(result: Any) -> dict[str, Any]:
    report = result.structured_content
    assert isinstance(report, dict)
    return report


async def test_variables_stay_and_numbers_grow(client: Client, kernel: str) -> None:
    await client.call_tool("execute_code", {"kernel_id": kernel, "code": "x = 20"})
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "x + 1"})
    assert text_of(result) == "21"
    report = _report(result)
    assert (report["status"], report["execution_count"]) == ("ok", 2)
    quiet = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "y = 1"})
    assert text_of(quiet) == "[done, without output]"


async def test_error_has_a_plain_traceback(client: Client, kernel: str) -> None:
    code = "def f():\n    return 1 / 0\nprint('before')\nf()"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert result.is_error
    assert _report(result)["status"] == "error"
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
    assert text_of(result) == "kept\n\n'new'"


async def test_time_out_interrupts_and_keeps_variables(client: Client, kernel: str) -> None:
    code = "z = 5\nprint('started', flush=True)\nwhile True: pass"
    call = {"kernel_id": kernel, "code": code, "timeout_seconds": 0.5}
    result = await client.call_tool("execute_code", call)
    assert result.is_error
    assert _report(result)["status"] == "timeout"
    assert "started" in text_of(result)
    assert "timed out after 0.5 s and was interrupted" in text_of(result)
    after = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "z"})
    assert text_of(after) == "5"


async def test_kernel_that_ignores_interrupts_is_refused_until_restarted(
    client: Client, kernel: str
) -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    call = {"kernel_id": kernel, "code": code, "timeout_seconds": 0.5}
    result = await client.call_tool("execute_code", call)
    assert _report(result)["status"] == "timeout"
    assert "restart_kernel" in text_of(result)
    refused = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1"})
    assert _report(refused)["error"]["kind"] == "kernel_busy"
    restarted = await client.call_tool("restart_kernel", {"kernel_id": kernel})
    assert _report(restarted)["kernel_id"] == kernel
    again = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1 + 1"})
    assert text_of(again) == "2"


async def test_dead_kernel_is_reported_and_can_be_restarted(client: Client, kernel: str) -> None:
    code = "import os; os._exit(1)"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert _report(result)["status"] == "kernel_died"
    refused = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "1"})
    assert _report(refused)["error"]["kind"] == "kernel_dead"
    listed = _report(await client.call_tool("list_kernels", {}))["kernels"]
    assert [entry["state"] for entry in listed if entry["kernel_id"] == kernel] == ["dead"]
    await client.call_tool("restart_kernel", {"kernel_id": kernel})
    again = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "'alive'"})
    assert text_of(again) == "'alive'"


async def test_interrupt_and_restart_while_code_runs(client: Client, kernel: str) -> None:
    outcomes: list[Any] = []

    async def run() -> None:
        call = {"kernel_id": kernel, "code": "while True: pass"}
        outcomes.append(_report(await client.call_tool("execute_code", call))["status"])

    for verb in ("interrupt_kernel", "restart_kernel"):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await _until_busy(client, kernel)
            done = await client.call_tool(verb, {"kernel_id": kernel})
            assert not done.is_error
    assert outcomes == ["interrupted", "kernel_died"]


async def _until_busy(client: Client, kernel: str) -> None:
    """Wait until the kernel has been given code."""
    with anyio.fail_after(PATIENCE):
        while True:
            listed = _report(await client.call_tool("list_kernels", {}))["kernels"]
            state = next(entry["state"] for entry in listed if entry["kernel_id"] == kernel)
            if state == "busy":
                return


async def test_calls_to_one_kernel_run_one_after_another(client: Client, kernel: str) -> None:
    await client.call_tool("execute_code", {"kernel_id": kernel, "code": "seen = []"})

    async def run(number: int) -> None:
        code = f"seen.append('in'); import time; time.sleep(0.02); seen.append('out'); {number}"
        result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
        assert text_of(result) == str(number)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(run, number)
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "seen"})
    assert text_of(result) == str(["in", "out"] * 5)


async def test_input_is_refused_with_advice(client: Client, kernel: str) -> None:
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": "input('?')"})
    assert result.is_error
    assert "keyboard input, which this server cannot give" in text_of(result)


async def test_output_limit_says_how_much_is_missing() -> None:
    with running("--transport=http", "--port=0", "--max-output=1000") as server:
        async with http_client(server.url, token=None) as client:
            code = "print('x' * 5000); raise ValueError('last words')"
            result = await client.call_tool("execute_code", {"code": code})
            text = text_of(result)
            assert "last words" in text
            cut = _report(result)["cut_characters"]
            assert cut > 4000
            assert f"{cut:,} characters were left out" in text
            assert len(text) < 1300


async def test_endless_output_ends_at_the_time_limit(client: Client, kernel: str) -> None:
    call = {"kernel_id": kernel, "code": "while True: print('x' * 1000)", "timeout_seconds": 1}
    result = await client.call_tool("execute_code", call)
    assert _report(result)["status"] == "timeout"
    assert len(text_of(result)) < 60_000


async def test_kernels_know_nothing_of_the_token(client: Client, kernel: str) -> None:
    code = "import os; [name for name in os.environ if 'TOKEN' in name]"
    result = await client.call_tool("execute_code", {"kernel_id": kernel, "code": code})
    assert text_of(result) == "[]"


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


async def test_kernel_limit_and_choice_of_kernel() -> None:
    with running("--transport=http", "--port=0", "--max-kernels=2") as server:
        async with http_client(server.url, token=None) as client:
            await client.call_tool("start_kernel", {})
            await client.call_tool("execute_code", {"code": "a = 1"})
            await client.call_tool("start_kernel", {})
            full = await client.call_tool("start_kernel", {})
            assert _report(full)["error"]["kind"] == "too_many_kernels"
            unclear = await client.call_tool("execute_code", {"code": "a"})
            assert "kernel_id" in text_of(unclear)
            assert len(server.descendants()) == 2


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
        assert tool.output_schema is not None
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
