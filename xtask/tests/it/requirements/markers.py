"""Random markers and constraints with what poetry-core makes of them, as JSON lines.

Arguments: seed, number of cases. The Rust test compares each result letter for letter.
"""

import json
import random
import signal
import sys

from poetry.core.constraints.generic import parse_constraint as parse_generic
from poetry.core.constraints.version import parse_constraint
from poetry.core.constraints.version import parse_marker_version_constraint
from poetry.core.packages.dependency import Dependency
from poetry.core.packages.utils.utils import create_nested_marker
from poetry.core.version.markers import parse_marker

SHORT = ["2.7", "3", "3.0", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "4.0"]
FULL = ["3.6.0", "3.6.1", "3.7.0", "3.8.0", "3.8.1", "3.9.0", "3.9.2", "3.10.0", "3.12.0"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", ">=", "<", "~="]
TEXTS = {
    "sys_platform": ["linux", "win32", "darwin"],
    "os_name": ["nt", "posix"],
    "platform_machine": ["x86_64", "aarch64", "arm64"],
    "platform_system": ["Linux", "Windows", "Darwin"],
    "implementation_name": ["cpython", "pypy"],
    "platform_python_implementation": ["CPython", "PyPy"],
    "extra": ["a", "b", "c_d"],
}


def comparison(rng, names):
    name = rng.choice(names)
    if name in ("python_version", "python_full_version"):
        values = SHORT if name == "python_version" else FULL
        if rng.random() < 0.12:
            some = rng.sample(values, rng.randint(1, 3))
            glue = rng.choice([", ", " ", ","])
            return f'{name} {rng.choice(["in", "not in"])} "{glue.join(some)}"'
        operator = rng.choice(COMPARISONS)
        value = rng.choice(values)
        if operator == "~=" and "." not in value:
            value += ".0"
        return f'{name} {operator} "{value}"'
    if name == "platform_release":
        operator = rng.choice(["==", "!=", ">=", "<"])
        return f'{name} {operator} "{rng.choice(["20.0", "5.4.0-generic", "10"])}"'
    values = TEXTS[name]
    if name != "extra":
        roll = rng.random()
        if roll < 0.08:
            some = rng.sample(values, rng.randint(1, 2))
            return f'{name} {rng.choice(["in", "not in"])} "{" ".join(some)}"'
        if roll < 0.16:
            part = rng.choice(values)[: rng.randint(2, 5)]
            return f'"{part}" {rng.choice(["in", "not in"])} {name}'
    return f"{name} {rng.choice(['==', '==', '!='])} '{rng.choice(values)}'"


def marker(rng, depth, names):
    if depth == 0 or rng.random() < 0.35:
        return comparison(rng, names)
    parts = [marker(rng, depth - 1, names) for _ in range(rng.choice([2, 2, 2, 3]))]
    glue = rng.choice([" and ", " or "])
    return glue.join(f"({part})" if " or " in part or " and " in part else part for part in parts)


def constraint(rng, versions):
    def one():
        version = rng.choice(versions)
        form = rng.randint(0, 9)
        if form == 0:
            return f"^{version}"
        if form == 1:
            return f"~{version}"
        if form == 2:
            return f"{version}.*"
        if form == 3:
            return f"!={version}.*"
        if form == 4:
            return version
        return f"{rng.choice(['<', '<=', '>', '>=', '!=', '=='])}{version}"

    def conjunction():
        return rng.choice([",", ", ", " "]).join(one() for _ in range(rng.choice([1, 1, 2, 2, 3])))

    return rng.choice([" || ", "|"]).join(conjunction() for _ in range(rng.choice([1, 1, 1, 2, 3])))


def attempt(work):
    try:
        return str(work())
    except Exception:
        return None


def python_versions(parsed):
    dependency = Dependency("a", "*")
    dependency.marker = parsed
    return dependency.python_versions


def marker_case(rng):
    names = ["python_version"] * 3 + ["python_full_version"] + list(TEXTS)
    if rng.random() < 0.3:
        names = rng.sample(names, 2)
    if rng.random() < 0.05:
        names = [*names, "platform_release"]
    one, two = marker(rng, rng.choice([1, 1, 2]), names), marker(rng, 1, names)
    case = {"kind": "marker", "one": one, "two": two}
    case["parsed"] = attempt(lambda: parse_marker(one))
    case["both"] = attempt(lambda: parse_marker(one).intersect(parse_marker(two)))
    case["either"] = attempt(lambda: parse_marker(one).union(parse_marker(two)))
    case["plain"] = attempt(lambda: parse_marker(one).without_extras())
    case["extras"] = attempt(lambda: parse_marker(one).apply({"extra": {"a", "c-d"}}))
    case["python"] = attempt(lambda: python_versions(parse_marker(one)))
    return case


def constraint_case(rng):
    versions = [*SHORT, *FULL]
    distribution = rng.random() < 0.5
    if distribution:
        versions += ["1.0a1", "1.0", "1.0.post1", "1.0.dev3", "2.0rc1", "1.0+local", "0.0.3", "0"]
    parse = parse_constraint if distribution else parse_marker_version_constraint
    one, two = constraint(rng, versions), constraint(rng, versions)
    case = {"kind": "constraint", "distribution": distribution, "one": one, "two": two}
    case["parsed"] = attempt(lambda: parse(one))
    case["both"] = attempt(lambda: parse(one).intersect(parse(two)))
    case["either"] = attempt(lambda: parse(one).union(parse(two)))
    case["any"] = attempt(lambda: parse(one).allows_any(parse(two)))
    case["all"] = attempt(lambda: parse(one).allows_all(parse(two)))
    case["marker"] = attempt(
        lambda: parse_marker(create_nested_marker("python_version", parse(one)))
    )
    return case


class TooLong(BaseException):
    """A case takes too long."""


def give_up(_signal, _frame):
    raise TooLong


def main():
    signal.signal(signal.SIGALRM, give_up)
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    for _ in range(count):
        make = marker_case if rng.random() < 0.7 else constraint_case
        # Some markers make poetry-core work for minutes; those are left out.
        signal.alarm(1)
        try:
            case = make(rng)
        except TooLong:
            continue
        finally:
            signal.alarm(0)
        print(json.dumps(case))


main()
