"""Versions as a server."""

__version__ = "0.4.0"
