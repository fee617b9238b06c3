"""How the command line finds what its words stand for, and shows errors."""

from collections.abc import Callable

import click

from lsnotebook.core.errors import LsnotebookError


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
    """What a word stands for: a profile or an approach of any part."""

    def __init__(self, name: str, find: Callable[[str], object]):
        self.name, self.find = name, find

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> object:
        try:
            return self.find(str(value))
        except LsnotebookError as error:
            self.fail(str(error), param, context)
