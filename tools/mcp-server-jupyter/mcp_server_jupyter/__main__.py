"""Lets `python -m mcp_server_jupyter` do what the console script does."""

import sys

from mcp_server_jupyter.cli import main

if __name__ == "__main__":
    sys.exit(main())
