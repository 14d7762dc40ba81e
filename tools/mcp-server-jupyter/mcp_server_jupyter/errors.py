"""The errors this server expects, in a form that a person or a model can act on.

Nothing here knows about MCP or HTTP; `tools/results.py` turns an error into a tool result.
"""

from enum import Enum


class ErrorKind(str, Enum):
    """What went wrong, as a word that a program can compare."""

    BAD_ARGUMENT = "bad_argument"
    OUTSIDE_ROOT = "outside_root"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    BAD_NOTEBOOK = "bad_notebook"
    CHANGED_ON_DISK = "changed_on_disk"
    FILE_FAILURE = "file_failure"
    KERNEL_BUSY = "kernel_busy"
    KERNEL_DEAD = "kernel_dead"
    KERNEL_FAILED_TO_START = "kernel_failed_to_start"
    TOO_MANY_KERNELS = "too_many_kernels"
    SHUTTING_DOWN = "shutting_down"


class ServerError(Exception):
    """An expected failure: what failed, and what to do next.

    `message` names the file, kernel or value; `hint` says what the caller can do about it.
    """

    def __init__(self, kind: ErrorKind, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


class UsageError(Exception):
    """A flag or an environment variable that cannot be used; the process exits with code 2."""


class StartupError(Exception):
    """The settings are fine but the machine refuses, such as a port in use; exit code 1."""
