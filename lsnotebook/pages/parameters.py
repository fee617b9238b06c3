"""The check that follows a notebook's `parameters` cell: papermill only warns of a misspelt name, and takes any value.

In the cell below it::

    check(profile=profile_of, seeds=lambda scale: Takes(range(2, 101), scale.seeds), orders=range(2, 10_001))

A bad name or value ends the run with one sentence instead of a traceback.
"""

import ast
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from IPython import get_ipython
from IPython.display import Markdown, display

from lsnotebook.core.errors import LsnotebookError


class ParameterError(LsnotebookError, ValueError):
    """A notebook's parameter that it does not have, or cannot take."""


class Takes(NamedTuple):
    """What a parameter takes, and the value that its default, None, stands for: the one that fits the profile."""

    choices: Iterable | Callable[[Any], Any]
    default: object


def check(
    places: Mapping[str, Sequence[str]] = MappingProxyType({}),
    /,
    profile: Callable[[Any], Any] | None = None,
    **allowed: Any,
) -> dict[str, Any]:
    """Check the parameters of the notebook that calls this, set them to what they stand for, and return them by name.
    What papermill has changed is shown, with where to look: `places` gives for a heading the parameters that only
    concern what stands below it.

    `profile` finds the profile that the parameter of this name stands for. Each other keyword is a parameter with what
    it takes: a `range` for a whole number in it, a list that holds one range for a number or a list of numbers in it,
    anything else for one of these names; `Takes` adds what None stands for, and its choices may be a function that
    returns the value that it is given, or raises an error of one sentence. What depends on the profile is a function of
    it. Numbers and lists may come as text. Raises `ParameterError`.
    """
    shell = get_ipython()
    names = ["profile"] * (profile is not None) + list(allowed)
    for name in injected(shell.user_ns.get("In", [])):
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise ParameterError(f"There is no parameter {name!r}: this notebook takes {', '.join(names)}{hint}")
    if unset := [name for name in names if name not in shell.user_ns]:
        raise ParameterError(f"The parameter {unset[0]!r} has no value: run the cell of the parameters first.")
    values, changed = {name: shell.user_ns[name] for name in names}, defaults(shell.user_ns.get("In", []))
    try:
        scale = profile(values["profile"]) if profile else None
    except LsnotebookError as error:
        raise ParameterError(str(error)) from error
    for name, takes in allowed.items():
        takes = takes(scale) if callable(takes) else takes
        values[name] = parsed(name, values[name], takes)
        if name in changed:
            changed[name] = parsed(name, changed[name], takes)
    shell.user_ns.update(values)
    if lines := [line(name, old, values[name], places) for name, old in changed.items() if old != values[name]]:
        display(Markdown("\n".join(["**Changed in this run**, default → new value:", "", *lines])))
    return values


def line(name: str, old: object, new: object, places: Mapping[str, Sequence[str]]) -> str:
    """A changed parameter, and the headings that it concerns, as the item of a list."""
    where = [f"[{heading}](#{heading.replace(' ', '-')})" for heading, names in places.items() if name in names]
    was, now = (
        ", ".join(map(str, value)) if isinstance(value, list) and value and not isinstance(value[0], list) else value
        for value in (old, new)
    )
    return f"- `{name}`: {was} → **{now}**; look at {' and '.join(where) or 'all that follows'}."


def defaults(cells: Sequence[str]) -> dict[str, object]:
    """What the cell before papermill's injected one sets: the parameters as the notebook has them."""
    before, _ = around_injected(cells)
    lines = [line for line in ast.parse(before).body if isinstance(line, ast.AnnAssign)]
    return {ast.unparse(line.target): ast.literal_eval(line.value) for line in lines if line.value}


def injected(cells: Sequence[str]) -> list[str]:
    """The names that papermill's injected cell sets."""
    _, source = around_injected(cells)
    return [target.id for line in ast.parse(source).body for target in getattr(line, "targets", [])]


def around_injected(cells: Sequence[str]) -> tuple[str, str]:
    """The cell before papermill's injected one, and that itself, the last such cell; empty where there is none."""
    places = [place for place, cell in enumerate(cells) if cell.lstrip().startswith("# Parameters")]
    return (cells[places[-1] - 1], cells[places[-1]]) if places else ("", "")


def parsed(name: str, value: object, choices: Any) -> object:
    """`value` as one of `choices`, or `ParameterError`. Numbers and lists may come as text."""
    if isinstance(choices, Takes):
        value, choices = choices.default if literal(value) is None else value, choices.choices
    if callable(choices):
        try:
            return choices(literal(value))
        except LsnotebookError as error:
            raise ParameterError(f"The parameter {name!r} cannot be taken: {error}") from error
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], range):
        values = literal(value)
        values = list(values) if isinstance(values, list | tuple) else [values]
        takes = f"a whole number from {choices[0][0]} to {choices[0][-1]}, or a list of such numbers"
        if values and all(is_in(number, choices[0]) for number in values):
            return values
    elif isinstance(choices, range):
        takes = f"a whole number from {choices[0]} to {choices[-1]}"
        if is_in(literal(value), choices):
            return literal(value)
    else:
        takes = "one of " + ", ".join(map(str, choices))
        if isinstance(value, bool) and (word := "on" if value else "off") in choices:
            return word  # YAML takes an unquoted on or off for a truth
        if isinstance(value, str) and value in choices:
            return value
        close = difflib.get_close_matches(str(value), choices, n=1)
        takes += f"; did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"The parameter {name!r} is {value!r}, but it takes {takes.rstrip('.')}.".replace("?.", "?"))


def is_in(number: object, choices: range) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number in choices


def literal(value: object) -> object:
    """What a text such as "[1, 2]" stands for; anything else as it is."""
    if isinstance(value, str):
        try:
            return ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return value
    return value
