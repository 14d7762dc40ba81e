"""Ending a kernel's processes for certain.

Jupyter kills a kernel's process group; what the code started in a session of its own would stay
behind. So the descendants are listed while the kernel still lives and whoever is left is killed.
"""

import logging

import psutil

log = logging.getLogger(__name__)


def descendants(pid: int) -> list[psutil.Process]:
    """List a process and everything below it; empty when it is gone already.

    The returned objects remember when their process started, so a process id that is used again
    by a stranger is never taken for the old one.
    """
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def kill_remaining(processes: list[psutil.Process]) -> None:
    """Kill those of the processes that still run; the ones that have ended are ignored."""
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
                log.debug("killed left-over process %d", process.pid)
        except psutil.NoSuchProcess:
            continue
        except psutil.Error as error:
            log.warning("cannot end process %d: %s", process.pid, error)
