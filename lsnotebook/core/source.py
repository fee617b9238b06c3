"""Which code a result depends on, as a hash: what the code computes counts, not how it is worded."""

import ast
import functools
import hashlib
import json
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from pathlib import Path

IGNORED = {"annotation", "returns", "type_comment", "type_params", "type_ignores", "kind", "ctx", "msg"}
"""Fields of the syntax tree that change nothing, or that only some versions of Python have."""


@functools.cache  # a process runs the code that it began with
def code_version(*roots: str) -> str:
    """A hash of the named modules and of all modules of their packages that these import, directly or not.

    Docstrings, comments, annotations, layout and the text of messages (errors raised, log lines) do not count, nor do
    imports, except for what the names in use stand for. Equal sources have equal hashes under every version of
    Python.
    """
    trees = {
        name: computed(tree, meanings(tree, name.partition(".")[0])) for name, tree in imported_modules(*roots).items()
    }
    return hashlib.sha256(json.dumps(trees, sort_keys=True).encode()).hexdigest()[:16]


def imported_modules(*roots: str) -> dict[str, ast.Module]:
    """The syntax trees of the named modules and of all of their packages that they import, by name."""
    packages = {root.partition(".")[0] for root in roots}
    found: dict[str, ast.Module] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = ast.parse(source_of(name))
            waiting += [one for one in imports_of(name, found[name]) if one.partition(".")[0] in packages]
    return found


def source_of(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"There is no module {module}.")
    return Path(spec.origin).read_text(encoding="utf-8")


def imports_of(module: str, tree: ast.AST) -> Iterator[str]:
    """The modules that a module imports when it runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.rpartition(".")[0]
            origin = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                yield f"{origin}.{alias.name}" if is_module(f"{origin}.{alias.name}") else origin
        elif not is_for_type_checking(node):
            yield from imports_of(module, node)


def is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what is before the last dot is no package
        return False


def is_for_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", getattr(node.test, "attr", "")) == "TYPE_CHECKING"


def meanings(tree: ast.Module, package: str) -> dict[str, str]:
    """What each imported name stands for; from the package itself the bare name, since its code is hashed too."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            ours = node.level or f"{node.module}.".startswith(f"{package}.")
            origin = "" if ours else f"{node.module}."
            found |= {alias.asname or alias.name: f"{origin}{alias.name}" for alias in node.names}
    return found


def computed(node: object, names: dict[str, str]) -> object:
    """The syntax tree as nested lists, without what changes no result."""
    if isinstance(node, list):
        return [computed(one, names) for one in node if not is_wording(one)]
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Raise):
        return ["Raise", computed(node.exc.func if isinstance(node.exc, ast.Call) else node.exc, names)]
    if isinstance(node, ast.AnnAssign) and node.value:
        node = ast.Assign([node.target], node.value)
    if isinstance(node, ast.AST):
        fields = sorted((name, value) for name, value in ast.iter_fields(node) if name not in IGNORED)
        kept = ([name, computed(value, names)] for name, value in fields if value not in (None, []))
        return [type(node).__name__, *kept]
    return repr(node)


def is_wording(node: object) -> bool:
    """Whether a statement is an import, a docstring, a log call, or for type checking."""
    if isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.AST) and is_for_type_checking(node)):
        return True
    if not isinstance(node, ast.Expr):
        return False
    if isinstance(node.value, ast.Call):
        return getattr(getattr(node.value.func, "value", None), "id", "") == "log"
    return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
