"""Versions as a server."""

__version__ = "0.3.0"
