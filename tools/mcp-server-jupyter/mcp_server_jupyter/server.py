"""The MCP server: its name, its instructions and its list of tools."""

from mcp.server import MCPServer

from mcp_server_jupyter import __version__
from mcp_server_jupyter.kernels import KernelPool
from mcp_server_jupyter.notebook_files import NotebookFiles
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.tools.execution_tools import execution_tools
from mcp_server_jupyter.tools.kernel_tools import kernel_tools
from mcp_server_jupyter.tools.notebook_tools import notebook_tools
from mcp_server_jupyter.tools.run_tools import run_tools

INSTRUCTIONS = """\
Runs code in Jupyter kernels and edits notebooks. Paths are relative to the allowed root.
For a quick calculation call execute_code; variables stay between calls. For a notebook call
open_notebook, then read, edit and run its cells; each notebook has a kernel of its own. Name cells
by their id: numbers shift when cells are inserted, moved or deleted.
"""


def build_server(settings: Settings, pool: KernelPool) -> MCPServer:
    """Assemble the server; it serves nothing until a transport runs it."""
    files = NotebookFiles(settings.root)
    return MCPServer(
        name="mcp-server-jupyter",
        title="Jupyter",
        version=__version__,
        instructions=INSTRUCTIONS,
        log_level="INFO",
        tools=[
            *kernel_tools(settings, pool),
            *execution_tools(settings, pool),
            *notebook_tools(settings, pool, files),
            *run_tools(settings, pool, files),
        ],
    )
