"""How the book's figures and tables look, and what stands below them.

A figure is shown as inline SVG whose ink is the colour of the page's text, so that it reads in light and dark.
"""

import base64
import functools
import html
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Data = pd.DataFrame | dict[str, pd.DataFrame] | None
"""What a figure or table was made from: one table, or several by their name."""
INK = "#010203"
"""Stands for the colour of the page's text while matplotlib draws."""
COLOURS = {
    "base": "#7f7f7f",
    "baseline": "#8a8a8a",
    "layershuffle": "#1a85cf",
    "layershuffle-position": "#d07c00",
    "layershuffle-predict": "#b5519f",
    "layershuffle-predict-sum": "#6c3d91",
    "layerdrop": "#009e73",
    "refined": "#c8553d",
}
"""Told apart by readers with any colour vision (after Okabe and Ito), on light and on dark."""
NAMES = {
    "base": "Base",
    "baseline": "ViT",
    "layershuffle": "LayerShuffle",
    "layershuffle-position": "LayerShuffle-position",
    "layershuffle-predict": "LayerShuffle-predict",
    "layershuffle-predict-sum": "LayerShuffle-predict, summed",
    "layerdrop": "LayerDrop",
    "refined": "refined at this depth",
}
MARKERS = {"layershuffle": "o", "layerdrop": "s", "baseline": "D", "refined": "^"}
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


def styled(draw: Callable) -> Callable:
    """Run a function that draws under the book's style."""

    @functools.wraps(draw)
    def in_style(*arguments, **keywords):
        import matplotlib as mpl

        with mpl.rc_context(STYLE):
            return draw(*arguments, **keywords)

    return in_style


@styled
def new(width: float = 4.8, height: float = 2.8, columns: int = 1, **options) -> "tuple[Figure, Axes]":
    """A figure of `width` x `height` inches and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, **options)


@styled
def themed(figure: "Figure", alt: str, made: str = "", data: Data = None) -> "HTML":
    """The figure as inline SVG for both themes; `alt` says in a sentence what it shows, `made` how it was made.

    `data` is what it was drawn from, to be saved as a CSV file.
    """
    from IPython.display import HTML

    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    label = f'class="themed" role="img" aria-label="{html.escape(alt)}"'
    return HTML(svg.replace("<svg", f"<svg {label}", 1) + footnote(made, data))


def table(frame: pd.DataFrame, made: str = "", decimals: int = 2, data: Data = None) -> "HTML":
    """A data frame as the book's tables look, scrollable on a phone; `made` says how it was made.

    What can be saved as a CSV file is the frame itself, or `data` where the frame is made for the eye.
    """
    from IPython.display import HTML

    body = frame.rename(index=NAMES).to_html(
        border=0, float_format=f"%.{decimals}f", na_rep="–", index_names=False, escape=False
    )
    body = re.sub(r"(\d) \[([^]<]*)\]", r"\1<br><small>[\2]</small>", body)  # intervals below their means
    return HTML(f'<div class="themed scroll">{body}</div>{footnote(made, frame if data is None else data)}')


def footnote(made: str, data: Data = None) -> str:
    """Below a figure: how it was made, and its data one click away, in the page itself and so without a server."""
    if not made:
        return ""
    link = ""
    if data is not None:
        data = pd.concat(data, names=["source"]).reset_index(level=0) if isinstance(data, dict) else data
        plain = data if isinstance(data.index, pd.RangeIndex) else data.reset_index()
        csv = base64.b64encode(plain.to_csv(index=False, float_format="%.6g").encode()).decode()
        link = f' <a download="data.csv" href="data:text/csv;base64,{csv}">The data (CSV)</a>'
    return f'<p class="themed made">{html.escape(made)}{link}</p>'


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each (approach, order) of Table 1, one column a source, "mean ± std [interval]" in %.

    `tables` gives for each source (the paper, this build) rows of approach, policy, mean, std and, where there is
    one, the interval low ... high, as fractions.
    """
    columns = {}
    for source, table in tables.items():
        for row in table.sort_values("policy", ascending=False, kind="stable").itertuples():
            text = f"{100 * row.mean:.2f} ± {100 * row.std:.2f}"
            if pd.notna(getattr(row, "low", None)):
                text += f" [{100 * row.low:.1f}, {100 * row.high:.1f}]"
            columns.setdefault(source, {})[NAMES[row.approach], row.policy] = text
    wide = pd.DataFrame(columns)
    return wide.loc[sorted(wide.index, key=lambda index: list(NAMES.values()).index(index[0]))]
