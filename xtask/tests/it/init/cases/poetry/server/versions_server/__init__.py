"""Versions as a server."""
