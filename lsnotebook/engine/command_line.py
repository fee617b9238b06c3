"""What the commands share: how they find what their words stand for, what they refuse, and how they show errors."""

from collections.abc import Callable, Iterable
from typing import Any

import click

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.profiles import Approach, check_fit
from lsnotebook.engine.ranks import world_size


class Commands(click.Group):
    def invoke(self, context: click.Context):
        """Show an error meant for the user as its one sentence."""
        try:
            return super().invoke(context)
        except LsnotebookError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:  # `| head`: click's own business
            raise
        except OSError as error:
            raise click.ClickException(
                f"{error}; mend that, or name another place for data/ in LSNOTEBOOK_DATA."
            ) from error


class Named(click.ParamType):
    """What a word stands for: a profile or an approach."""

    def __init__(self, name: str, find: Callable[[str], object]):
        self.name, self.find = name, find

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> object:
        try:
            return self.find(str(value))
        except LsnotebookError as error:
            self.fail(str(error), param, context)


def fitting(known: Callable[[], Iterable[Approach]]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """The callback of an argument: its approach, or all of several, if the command's profile can have them; otherwise
    the error names those of `known` that it can."""

    def check(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
        approaches = given if isinstance(given, tuple) else (given,)
        for approach in approaches if "profile" in context.params else ():  # a shell completes words without one
            try:
                check_fit(approach, context.params["profile"], list(known()))
            except LsnotebookError as error:
                raise click.BadParameter(str(error)) from error
        return given

    return check


def check_alone() -> None:
    """Results are computed by one process: of several, each would compute and write all of them."""
    if world_size() > 1:
        raise click.UsageError(
            "Results are computed by one process: train with `accelerate launch -m lsnotebook train`, then run this "
            "command by itself."
        )
