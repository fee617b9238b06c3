"""The list of references calls a work as the text does: [Fan et al., 2020]."""

from collections.abc import Iterator

from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels import BaseLabelStyle
from sphinx.application import Sphinx


class AuthorYear(BaseLabelStyle):
    def format_labels(self, entries: list) -> Iterator[str]:
        for entry in entries:
            names = [" ".join(author.last_names) for author in entry.persons["author"]]
            who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
            yield f"{who}, {entry.fields['year']}"


class AuthorYearStyle(Style):
    default_label_style = AuthorYear
    default_sorting_style = "author_year_title"


def setup(app: Sphinx) -> dict:
    register_plugin("pybtex.style.formatting", "author_year", AuthorYearStyle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
