"""Facts about a wheel and the environment it was installed into, as JSON.

    inspect.py wheel WHEEL
    inspect.py environment FOLDER DISTRIBUTION EXTRAS OPTIONAL

It only reads: nothing of the wheel is imported or run. `EXTRAS` and `OPTIONAL` (import names)
are separated by commas. Runs on Python 3.10 and later, with pip's own copy of `packaging`.
"""

from __future__ import annotations

import ast
import configparser
import email.parser
import importlib.metadata as metadata
import json
import os
import platform
import re
import sys
import sysconfig
import zipfile
from pathlib import Path, PurePosixPath

from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.specifiers import SpecifierSet

SUFFIXES = (".py", ".so", ".pyd")
IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


def normal(name):
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# The wheel as a file.


def wheel_facts(path):
    with zipfile.ZipFile(path) as archive:
        folder = next(
            name.split("/")[0]
            for name in archive.namelist()
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)
        )
        head = email.parser.Parser().parsestr(archive.read(f"{folder}/METADATA").decode())
        entries = f"{folder}/entry_points.txt"
        text = archive.read(entries).decode() if entries in archive.namelist() else ""
    wanted = head.get("Requires-Python")
    found = platform.python_version()
    return {
        "name": head["Name"],
        "python": found,
        "requires_python": wanted,
        "suits": not wanted or SpecifierSet(wanted).contains(found, prereleases=True),
        "console_scripts": console_scripts(text),
    }


def console_scripts(text):
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text)
    return sorted(parser["console_scripts"]) if parser.has_section("console_scripts") else []


# The environment.


def site_folders(environment):
    scheme = "nt" if os.name == "nt" else "posix_prefix"
    paths = {"base": environment, "platbase": environment}
    found = (sysconfig.get_path(kind, scheme, paths) for kind in ("purelib", "platlib"))
    return sorted({os.path.realpath(path) for path in found})


class Installed:
    """The distributions of an environment, and which of them provides a module."""

    def __init__(self, folders):
        self.by_name = {}
        self.providers = {}
        for distribution in metadata.distributions(path=folders):
            name = normal(distribution.metadata["Name"])
            self.by_name.setdefault(name, distribution)
            for module in modules_of(distribution):
                self.providers.setdefault(module, set()).add(name)
                # A folder without __init__.py is a module too, shared by all who fill it.
                while "." in module:
                    module = module.rpartition(".")[0]
                    self.providers.setdefault(module, set()).add(name)

    def providing(self, module):
        """The distributions with the longest leading part of a dotted name."""
        while module:
            if module in self.providers:
                return self.providers[module]
            module = module.rpartition(".")[0]
        return set()

    def requirer(self, name):
        """A distribution that requires another one."""
        for other, distribution in sorted(self.by_name.items()):
            for text in distribution.requires or []:
                if normal(parse(text).name) == name:
                    return other
        return None


def parse(text):
    try:
        return Requirement(text)
    except InvalidRequirement:
        # Old metadata may say what no tool understands today; its name is still readable.
        return Requirement(re.match(r"\s*[A-Za-z0-9._-]+", text)[0].strip())


def modules_of(distribution):
    for file in distribution.files or []:
        module = module_name(PurePosixPath(str(file).replace("\\", "/")))
        if module:
            yield module


def module_name(path):
    """The dotted name of a module file relative to its root, or nothing."""
    if path.suffix not in SUFFIXES or ".." in path.parts or path.is_absolute():
        return None
    if any(part.endswith((".dist-info", ".data")) for part in path.parts[:-1]):
        return None
    stem = path.name.split(".")[0]
    parts = path.parts[:-1] if stem == "__init__" else (*path.parts[:-1], stem)
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None


def holds(requirement, extras):
    """Whether a requirement applies here, for these extras."""
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in ["", *extras])


def only_for_extras(requirement, extras):
    """Whether a requirement belongs to an extra that is not among these."""
    wanted = re.findall(r"extra\s*==\s*['\"]([^'\"]+)['\"]", str(requirement.marker or ""))
    return bool(wanted) and not {normal(name) for name in wanted} & {normal(e) for e in extras}


def unsatisfied(installed, root, extras):
    """Every requirement of an installed distribution that the environment does not satisfy."""
    found = []
    for name, distribution in sorted(installed.by_name.items()):
        for text in distribution.requires or []:
            requirement = parse(text)
            if not holds(requirement, extras if name == root else []):
                continue
            other = installed.by_name.get(normal(requirement.name))
            version = other.version if other else None
            fits = version and requirement.specifier.contains(version, prereleases=True)
            if not fits:
                wanted = f"{requirement.name}{requirement.specifier}"
                found.append({"by": name, "requirement": wanted, "found": version})
    return found


def has_upper_bound(requirement):
    if requirement.url:
        return True
    return any(it.operator in ("<", "<=", "==", "~=", "===") for it in requirement.specifier)


# The imports.


class Imports(ast.NodeVisitor):
    """The modules a file needs on this platform and Python, with their lines."""

    def __init__(self, package, resolves):
        self.package = package
        self.resolves = resolves
        self.needed = []
        self.optional = 0
        self.guards = 0

    def need(self, module, line, attributes=()):
        if self.guards:
            self.optional += 1
        else:
            self.needed.append((module, line, tuple(attributes)))

    def visit_Import(self, node):
        for alias in node.names:
            self.need(alias.name, node.lineno)

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level:
            parts = self.package.split(".") if self.package else []
            parts = parts[: len(parts) - node.level + 1]
            module = ".".join([*parts, *filter(None, [module])])
        if module:
            self.need(module, node.lineno, [alias.name for alias in node.names])

    def visit_Call(self, node):
        function = node.func
        name = getattr(function, "attr", None) or getattr(function, "id", None)
        first = node.args[0] if node.args else None
        if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
            if isinstance(first.value, str) and not first.value.startswith("."):
                self.need(first.value, node.lineno)
        self.generic_visit(node)

    def visit_If(self, node):
        truth = known_truth(node.test)
        self.visit(node.test)
        for branch, taken in ((node.body, truth is not False), (node.orelse, truth is not True)):
            for statement in branch if taken else ():
                self.visit(statement)

    def visit_Try(self, node):
        if not any(catches_import_error(handler) for handler in node.handlers):
            self.generic_visit(node)
            return
        attempt = Imports(self.package, self.resolves)
        for statement in node.body:
            attempt.visit(statement)
        works = all(self.resolves(module) for module, _, _ in attempt.needed)
        self.optional += attempt.optional + len(attempt.needed)
        self.visit_all([*(node.orelse if works else ()), *node.finalbody])
        for handler in node.handlers:
            # What is imported in place of something that is there is not needed.
            self.guards += works
            self.visit_all(handler.body)
            self.guards -= works

    visit_TryStar = visit_Try

    def visit_With(self, node):
        calls = (item.context_expr for item in node.items)
        suppressed = any(
            isinstance(call, ast.Call)
            and (getattr(call.func, "attr", None) or getattr(call.func, "id", None)) == "suppress"
            and any(names_import_error(argument) for argument in call.args)
            for call in calls
        )
        self.guards += suppressed
        self.generic_visit(node)
        self.guards -= suppressed

    def visit_all(self, statements):
        for statement in statements:
            self.visit(statement)


def names_import_error(node):
    if isinstance(node, ast.Tuple):
        return any(names_import_error(element) for element in node.elts)
    return (getattr(node, "attr", None) or getattr(node, "id", None)) in IMPORT_ERRORS


def catches_import_error(handler):
    return handler.type is None or names_import_error(handler.type)


def known_truth(test):
    """Whether a condition on type checking, platform or Python version holds here, or None."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        truth = known_truth(test.operand)
        return None if truth is None else not truth
    text = ast.unparse(test)
    if text in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING"):
        return False
    facts = {
        "sys.version_info": tuple(sys.version_info),
        "sys.platform": sys.platform,
        "os.name": os.name,
        "platform.system()": platform.system(),
    }
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return compared(facts.get(ast.unparse(test.left)), test.ops[0], test.comparators[0])
    if isinstance(test, ast.Call) and text.startswith("sys.platform.startswith(") and test.args:
        if isinstance(test.args[0], ast.Constant):
            return sys.platform.startswith(test.args[0].value)
    return None


def compared(fact, operator, node):
    try:
        value = ast.literal_eval(node)
        compare = {
            ast.Eq: lambda: fact == value,
            ast.NotEq: lambda: fact != value,
            ast.Lt: lambda: fact < value,
            ast.LtE: lambda: fact <= value,
            ast.Gt: lambda: fact > value,
            ast.GtE: lambda: fact >= value,
            ast.In: lambda: fact in value,
            ast.NotIn: lambda: fact not in value,
        }[type(operator)]
        return None if fact is None else compare()
    except (ValueError, TypeError, KeyError):
        return None


class Judge:
    """Says where each import of a distribution comes from."""

    def __init__(self, installed, root, extras, optional):
        self.installed = installed
        self.root = root
        self.extras = extras
        self.optional = optional
        self.own = set()
        for module in modules_of(installed.by_name[root]):
            while module:
                self.own.add(module)
                module = module.rpartition(".")[0]
        self.own_tops = {module.partition(".")[0] for module in self.own}
        self.requirements = [parse(text) for text in installed.by_name[root].requires or []]
        self.declared = {
            normal(requirement.name)
            for requirement in self.requirements
            if not only_for_extras(requirement, extras)
        }

    def resolves(self, module):
        top = module.partition(".")[0]
        if module in self.own or top in sys.stdlib_module_names:
            return True
        return bool(self.installed.providing(module))

    def problem(self, module, attributes):
        """What is wrong with an import, as a dictionary; nothing when all is well."""
        top = module.partition(".")[0]
        if top in self.optional or module in self.optional:
            return None
        if module in self.own or top in sys.stdlib_module_names:
            return None
        names = {module, *(f"{module}.{attribute}" for attribute in attributes)}
        providers = set().union(*(self.installed.providing(name) for name in names))
        others = providers - {self.root}
        if top in self.own_tops and not others:
            return {"kind": "not_in_wheel"}
        if others & self.declared:
            return None
        by_name = normal(top)
        if others:
            name = sorted(others)[0]
            extra = any(normal(requirement.name) == name for requirement in self.requirements)
            kind = "only_for_extra" if extra else "undeclared"
            requirer = self.installed.requirer(name)
            return {"kind": kind, "distribution": name, "requirer": requirer}
        if by_name in self.declared:
            applies = any(
                normal(requirement.name) == by_name and holds(requirement, self.extras)
                for requirement in self.requirements
            )
            # Declared for other platforms only: then it is not needed on this one.
            return {"kind": "not_installed", "distribution": by_name} if applies else None
        return {"kind": "unknown"}


def import_facts(installed, root, extras, optional):
    judge = Judge(installed, root, extras, optional)
    facts = {"files": 0, "modules": 0, "optional": 0, "problems": []}
    seen, reported = set(), set()
    distribution = installed.by_name[root]
    for file in sorted(distribution.files or [], key=str):
        path = PurePosixPath(str(file).replace("\\", "/"))
        module = module_name(path)
        if path.suffix != ".py" or not module:
            continue
        facts["files"] += 1
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        try:
            tree = ast.parse(Path(distribution.locate_file(file)).read_bytes(), str(path))
        except SyntaxError as error:
            problem = {"kind": "syntax", "module": error.msg, "file": str(path)}
            facts["problems"].append({**problem, "line": error.lineno or 1})
            continue
        imports = Imports(package, judge.resolves)
        imports.visit(tree)
        facts["optional"] += imports.optional
        for name, line, attributes in imports.needed:
            seen.add(name.partition(".")[0])
            problem = judge.problem(name, attributes)
            if problem and name not in reported:
                reported.add(name)
                problem.update(module=name, file=str(path), line=line)
                facts["problems"].append(problem)
    facts["modules"] = len(seen)
    return facts


def environment_facts(folder, name, extras, optional):
    installed = Installed(site_folders(folder))
    root = normal(name)
    declared = [parse(text) for text in installed.by_name[root].requires or []]
    return {
        "unsatisfied": unsatisfied(installed, root, extras),
        "unbounded": sorted(
            {it.name for it in declared if holds(it, extras) and not has_upper_bound(it)}
        ),
        "distributions": len(installed.by_name),
        "imports": import_facts(installed, root, extras, optional),
    }


def words(text):
    return [word for word in text.split(",") if word]


def main(command, *arguments):
    if command == "wheel":
        facts = wheel_facts(*arguments)
    else:
        folder, name, extras, optional = arguments
        facts = environment_facts(folder, name, words(extras), set(words(optional)))
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
