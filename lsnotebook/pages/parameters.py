"""The check that follows a notebook's `parameters` cell: papermill only warns of a misspelt name, and takes any value.

    check(profile=PROFILES, seeds=range(1, 101))

A bad name or value ends the run with one sentence instead of a traceback.
"""

import ast
import difflib
from collections.abc import Callable, Iterable

from IPython import get_ipython

from lsnotebook.core.errors import LsnotebookError


class ParameterError(LsnotebookError, ValueError):
    """A notebook's parameter that it does not have, or cannot take."""


def check(**allowed: Iterable | Callable[[], Iterable]) -> None:
    """Check the parameters of the notebook that calls this, and parse those given as text.

    Each keyword is a parameter of the notebook with what it takes: a `range` for a whole number in it, a list that
    holds one range for a number or a list of numbers in it, anything else for one of these names, or a function that
    gives one of these when the parameters before it have been checked. Raises `ParameterError`.
    """
    shell = get_ipython()
    for name in injected(shell.user_ns.get("In", [])):
        if name not in allowed:
            close = difflib.get_close_matches(name, allowed, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "."
            raise ParameterError(f"There is no parameter {name!r}: this notebook takes {', '.join(allowed)}{hint}")
    for name, choices in allowed.items():
        takes = choices() if callable(choices) else choices
        shell.user_ns[name] = parsed(name, shell.user_ns[name], takes)


def injected(cells: Iterable[str]) -> list[str]:
    """The names that papermill's injected cell sets; the last such cell counts."""
    sources = [cell for cell in cells if cell.lstrip().startswith("# Parameters")]
    if not sources:
        return []
    return [target.id for line in ast.parse(sources[-1]).body for target in getattr(line, "targets", [])]


def parsed(name: str, value: object, choices: Iterable) -> object:
    """`value` as one of `choices`, or `ParameterError`. Numbers and lists may come as text."""
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
        if value in choices:
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
        except (ValueError, SyntaxError):
            return value
    return value
