"""Finding notebook files below a folder."""

import os
from pathlib import Path

MOST_NOTEBOOKS = 500
# Walking a huge tree would keep a caller waiting for a list nobody reads to the end.
MOST_FOLDERS = 20_000


def list_files(folder: Path) -> tuple[list[Path], bool]:
    """Return the notebooks below a folder, sorted, and whether these are all.

    Hidden folders (which include Jupyter's checkpoints) are passed over, and links to folders are
    not followed.
    """
    found: list[Path] = []
    for number, (place, folders, names) in enumerate(os.walk(folder)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if name.lower().endswith(".ipynb")]
        if len(found) > MOST_NOTEBOOKS or number >= MOST_FOLDERS:
            return sorted(found)[:MOST_NOTEBOOKS], False
    return sorted(found), True
