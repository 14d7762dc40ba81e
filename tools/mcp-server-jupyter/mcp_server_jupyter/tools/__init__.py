"""The MCP tools, one file a group. Each tool only translates: arguments in, result out."""
