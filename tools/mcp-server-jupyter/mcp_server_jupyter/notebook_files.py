"""Notebooks on disk: read, and change without losing anybody's work.

Changes to one file happen one after another. A file is replaced as a whole (written beside, then
renamed), and only while it still holds the bytes that were read.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

import anyio
import anyio.to_thread

from mcp_server_jupyter import notebooks
from mcp_server_jupyter.errors import ErrorKind, ServerError
from mcp_server_jupyter.notebooks import Notebook
from mcp_server_jupyter.paths import display_path

T = TypeVar("T")

LARGEST_BYTES = 200_000_000


@dataclass(frozen=True)
class Opened:
    """A notebook as it is on disk; `revision` stands for its exact bytes."""

    notebook: Notebook
    revision: str


@dataclass(frozen=True)
class Changed(Generic[T]):
    """The outcome of a change: what the change returned and the revision it left on disk."""

    value: T
    notebook: Notebook
    revision: str


class NotebookFiles:
    """The notebook files below the allowed root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks: WeakValueDictionary[Path, anyio.Lock] = WeakValueDictionary()

    def _lock(self, path: Path) -> anyio.Lock:
        lock = self._locks.get(path)
        if lock is None:
            self._locks[path] = lock = anyio.Lock()
        return lock

    async def open(self, path: Path) -> Opened:
        """Read and check a notebook. Raises `ServerError`."""
        return await anyio.to_thread.run_sync(self._read, path)

    async def create(self, path: Path, notebook: Notebook) -> Opened:
        """Write a notebook that does not exist yet; an existing one is opened instead."""
        async with self._lock(path):
            text = notebooks.serialise(notebook, display_path(self.root, path))
            await anyio.to_thread.run_sync(self._write_if_missing, path, text)
            return await self.open(path)

    async def change(
        self, path: Path, change: Callable[[Notebook], T], revision: str | None = None
    ) -> Changed[T]:
        """Apply a pure change to a notebook and store the result; nothing is stored if it fails.

        With `revision` the file must still have it: that is how a caller makes sure that nobody
        changed the notebook since it was read. Raises `ServerError`.
        """
        async with self._lock(path):
            opened = await self.open(path)
            if revision is not None and revision != opened.revision:
                raise self._changed_on_disk(path)
            value = change(opened.notebook)
            text = notebooks.serialise(opened.notebook, display_path(self.root, path))
            stored = await anyio.to_thread.run_sync(self._write, path, text, opened.revision)
            return Changed(value, opened.notebook, stored)

    def _read(self, path: Path) -> Opened:
        name = display_path(self.root, path)
        content = self._read_bytes(path)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ServerError(
                ErrorKind.BAD_NOTEBOOK, f"{name!r} is not a valid notebook: {error}"
            ) from error
        return Opened(notebooks.parse(text, name), revision_of(content))

    def _read_bytes(self, path: Path) -> bytes:
        name = display_path(self.root, path)
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise ServerError(ErrorKind.BAD_ARGUMENT, f"{name!r} is not a regular file")
            if status.st_size > LARGEST_BYTES:
                raise ServerError(
                    ErrorKind.BAD_NOTEBOOK,
                    f"{name!r} has {status.st_size:,} bytes; the limit is {LARGEST_BYTES:,}",
                )
            return path.read_bytes()
        except FileNotFoundError:
            raise ServerError(
                ErrorKind.NOT_FOUND,
                f"notebook {name!r} does not exist in {str(self.root)!r}",
                "list_notebooks shows what there is; open_notebook with create=true makes it",
            ) from None
        except OSError as error:
            raise ServerError(
                ErrorKind.FILE_FAILURE, f"cannot read {name!r}: {error.strerror}"
            ) from error

    def _write_if_missing(self, path: Path, text: str) -> None:
        if not path.exists():
            self._write(path, text, None)

    def _write(self, path: Path, text: str, expected: str | None) -> str:
        """Replace the file by `text` if it still has the revision `expected` (None: no file)."""
        # Kernels can print halves of surrogate pairs, which no file encoding can hold.
        content = text.encode("utf-8", "replace")
        temporary = path.with_name(f".{path.stem}-{secrets.token_hex(6)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                temporary.chmod(stat.S_IMODE(path.stat().st_mode))
            if self._present_revision(path) != expected:
                raise self._changed_on_disk(path)
            temporary.replace(path)
        except OSError as error:
            shown = display_path(self.root, path)
            raise ServerError(
                ErrorKind.FILE_FAILURE,
                f"cannot write {shown!r}: {error.strerror}",
                "the notebook is as it was before",
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink()
        return revision_of(content)

    def _present_revision(self, path: Path) -> str | None:
        return revision_of(path.read_bytes()) if path.exists() else None

    def _changed_on_disk(self, path: Path) -> ServerError:
        return ServerError(
            ErrorKind.CHANGED_ON_DISK,
            f"{display_path(self.root, path)!r} was changed by someone else in the meantime",
            "nothing was written; read the notebook again and repeat the change",
        )


def revision_of(content: bytes) -> str:
    """Return a short fingerprint of a file's bytes."""
    return hashlib.sha256(content).hexdigest()[:16]
