"""Every export of a Poetry project, made by Poetry's own export plug-in.

Argument: the project's folder. Prints one JSON value: `null` when the plug-in refuses the lock
file, else a list with an entry for each choice of groups, extras and hashes. `text` is `null`
where the plug-in fails.
"""

import json
import logging
import sys
from pathlib import Path

from cleo.io.buffered_io import BufferedIO
from poetry.factory import Factory
from poetry_plugin_export.exporter import Exporter


def choices(package):
    groups = sorted({"main", *package.dependency_group_names(include_optional=True)})
    extras = sorted(package.extras)
    found = [(["main"], [])]
    for group in groups:
        found += [([group], []), (["main", group], [])]
    found += [(["main"], [extra]) for extra in extras]
    found += [(groups, []), (["main"], extras), (groups, extras)]
    unique = []
    for chosen, wanted in found:
        choice = (sorted(set(chosen)), wanted)
        if choice not in unique:
            unique.append(choice)
    return unique


def export(folder, groups, extras, hashes):
    exporter = Exporter(Factory().create_poetry(folder), BufferedIO())
    exporter.only_groups(groups).with_extras(extras).with_hashes(hashes)
    output = BufferedIO()
    try:
        exporter.export("requirements.txt", folder, output)
    except Exception:
        return None
    return output.fetch_output()


def main():
    logging.disable(logging.CRITICAL)
    folder = Path(sys.argv[1]).resolve()
    poetry = Factory().create_poetry(folder)
    try:
        poetry.locker.lock_data
    except RuntimeError:
        print("null")
        return
    if not poetry.locker.is_fresh():
        print("null")
        return
    exports = []
    for groups, extras in choices(poetry.package):
        for hashes in (True, False):
            text = export(folder, groups, extras, hashes)
            choice = {"groups": groups, "extras": extras, "hashes": hashes}
            exports.append({**choice, "text": text})
    print(json.dumps(exports))


main()
