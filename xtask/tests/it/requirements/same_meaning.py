"""Compares two requirements files: the same packages, versions and digests in every environment."""

import itertools
import sys

from pip._vendor.packaging.requirements import Requirement

PYTHONS = ["3.10.1", "3.11.5", "3.12.0", "3.13.2", "3.14.0", "3.15.0"]
SYSTEMS = [
    ("linux", "posix", "Linux", "x86_64"),
    ("linux", "posix", "Linux", "aarch64"),
    ("win32", "nt", "Windows", "AMD64"),
    ("darwin", "posix", "Darwin", "arm64"),
    ("cygwin", "posix", "CYGWIN", "x86_64"),
    ("emscripten", "posix", "Emscripten", "wasm32"),
]
IMPLEMENTATIONS = ["CPython", "PyPy"]


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().replace("\\\n", " ").splitlines()
    for line in map(str.strip, lines):
        if line and not line.startswith(("#", "-")):
            requirement, *hashes = line.split(" --hash=")
            yield Requirement(requirement), frozenset(it.split()[0] for it in hashes)


def environments():
    for python, system, implementation in itertools.product(PYTHONS, SYSTEMS, IMPLEMENTATIONS):
        yield {
            "python_full_version": python,
            "python_version": ".".join(python.split(".")[:2]),
            "sys_platform": system[0],
            "os_name": system[1],
            "platform_system": system[2],
            "platform_machine": system[3],
            "platform_python_implementation": implementation,
            "implementation_name": implementation.lower(),
            "extra": "",
        }


def installed(requirements, environment):
    return {
        (requirement.name.lower(), str(requirement.specifier), hashes)
        for requirement, hashes in requirements
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }


ours, theirs = (list(read(path)) for path in sys.argv[1:3])
assert ours and all(hashes for _, hashes in ours)
for environment in environments():
    one, other = installed(ours, environment), installed(theirs, environment)
    if one != other:
        sys.exit(f"{environment}: {sorted(it[:2] for it in one ^ other)}")
