"""Which files a tool call may name: those inside the allowed root, and nothing else.

Symbolic links are resolved first, so a link inside the root cannot lead out of it. This guards the
notebook tools; it does not confine code that runs in a kernel.
"""

from pathlib import Path

from mcp_server_jupyter.errors import ErrorKind, ServerError


def resolve_inside(root: Path, text: str) -> Path:
    """Turn a path from a tool call into an absolute path inside `root`.

    Relative paths start at `root`, which must be absolute and resolved. Raises `ServerError` of
    kind `OUTSIDE_ROOT`, naming path and root, when the path leads anywhere else.
    """
    if not text.strip() or "\0" in text:
        raise ServerError(ErrorKind.BAD_ARGUMENT, f"path {text!r} is empty or has a zero byte")
    try:
        resolved = (root / text).resolve()
    except (OSError, RuntimeError) as error:
        raise ServerError(
            ErrorKind.BAD_ARGUMENT, f"path {text!r} cannot be resolved: {error}"
        ) from error
    if resolved != root and not resolved.is_relative_to(root):
        raise ServerError(
            ErrorKind.OUTSIDE_ROOT,
            f"path {text!r} is outside the allowed root {str(root)!r}",
            "use a path inside the root, or start the server with another --root",
        )
    return resolved


def notebook_path(root: Path, text: str) -> Path:
    """Resolve a path that must name a notebook file (`.ipynb`); the file need not exist."""
    resolved = resolve_inside(root, text)
    if resolved.suffix.lower() != ".ipynb":
        raise ServerError(
            ErrorKind.BAD_ARGUMENT,
            f"path {text!r} does not end in .ipynb",
            "notebook tools only touch notebook files",
        )
    return resolved


def folder_path(root: Path, text: str) -> Path:
    """Resolve a path that must be an existing folder inside the root."""
    resolved = resolve_inside(root, text)
    if not resolved.is_dir():
        raise ServerError(ErrorKind.NOT_FOUND, f"folder {text!r} does not exist in {str(root)!r}")
    return resolved


def display_path(root: Path, path: Path) -> str:
    """Return the form in which results name a file: relative to the root, with forward slashes."""
    return path.relative_to(root).as_posix()
