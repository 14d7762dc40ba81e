"""MCP server that runs code in Jupyter kernels and edits notebooks."""

__version__ = "0.1.0"
