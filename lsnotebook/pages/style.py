"""How the book's figures look.

A figure is shown as inline SVG whose ink is the colour of the page's text, so that it reads in light and dark.
"""

import functools
import html
import io
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lsnotebook.pages.tables import Source, footnote

INK = "#010203"
"""Stands for the colour of the page's text while matplotlib draws."""
STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "lsnotebook",
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "legend.frameon": False,
}

GAP = 0.14
"""Inches around a panel that has another one above or below it, so that its title stands clear of the label above."""


def styled(draw: Callable) -> Callable:
    """Run a function that draws under the book's style."""

    @functools.wraps(draw)
    def in_style(*arguments, **keywords):
        with mpl.rc_context(STYLE):
            return draw(*arguments, **keywords)

    return in_style


@styled
def new(
    width: float = 4.8, height: float = 2.8, rows: int = 1, columns: int = 1, **options
) -> tuple[Figure, np.ndarray]:
    """A figure of `width` x `height` inches and its axes, an array (rows, columns)."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(hspace=GAP * rows / height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def tile_colours(count: int) -> list[tuple[str, str]]:
    """For each of `count` layers its colour, and black or white, whichever is read better on it."""
    fills = mpl.colormaps["viridis"](np.linspace(0.12, 0.97, count))
    return [(mpl.colors.to_hex(fill), text_on(fill)) for fill in fills]


def text_on(fill: object) -> str:
    """Black or white, whichever has the higher contrast (WCAG) against a colour."""
    parts = zip((0.2126, 0.7152, 0.0722), mpl.colors.to_rgb(fill), strict=True)
    return "#ffffff" if sum(weight * part**2.2 for weight, part in parts) < 0.18 else "#000000"


@styled
def themed(figure: Figure, alt: str, made: str = "", data: Source = None) -> HTML:
    """The figure as inline SVG for both themes; `alt` says in a sentence what it shows, `made` how it was made.

    `data` is what it was drawn from, to be saved as a CSV file.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = f'class="themed" role="img" aria-label="{html.escape(alt)}"'
    return HTML(svg.replace("<svg", f"<svg {label}", 1) + footnote(made, data))
