"""The diagrams of §3, drawn by code: Figures 1a, 2 and 3."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lsnotebook.orders import check_order
from lsnotebook.plots import INK, new, styled, themed

if TYPE_CHECKING:
    from IPython.display import HTML
    from matplotlib.axes import Axes

PLAIN = "#666666"
NEW = "#a85f00"
GUESS = "#9c3f87"


@styled
def layershuffle(orders: Mapping[str, Sequence[int]], layers: int = 12) -> "HTML":
    """Figure 1a: one row for each named order, the layers as tiles in their running order.

    A layer has the same colour in every row. Raises `OrderError`.
    """
    import matplotlib as mpl

    rows = {name: check_order(order, layers) for name, order in orders.items()}
    longest = max(map(len, rows.values()))
    axes = canvas(longest + 4.4, 1.45 * len(rows))
    colours = mpl.colormaps["cividis"].resampled(layers)
    for row, (name, order) in enumerate(rows.items()):
        y = 1.45 * (len(rows) - row) - 0.7
        axes.text(2.1, y, name, ha="right", va="center")
        arrow(axes, (2.3, y), (3.0, y))
        for position, index in enumerate(order):
            red, green, blue, _ = colours(index)
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            box(axes, 3.5 + position, y, 0.84, 0.84, str(index), colours(index), "white" if dark else "black")
        arrow(axes, (3.0 + len(order), y), (3.8 + len(order), y))
        axes.text(3.9 + len(order), y, "y", ha="left", va="center", style="italic")
    spoken = "; ".join(f"{name}: {', '.join(map(str, order))}" for name, order in rows.items())
    return themed(axes.figure, f"The same layers in different orders. {spoken}.")


@styled
def position_encoding() -> "HTML":
    """Figure 2, LayerShuffle-position: before its block a layer adds what it knows of its position (§3.3)."""
    axes = canvas(15.6, 5.6)
    y, places = 2.2, {"concat": 2.5, "LN": 4.5, "W$_{proj}$": 6.5, "GELU": 8.5, "Drop-\nout": 10.5}
    box(axes, 2.5, 4.6, 3.2, 1.1, "table of layer i", NEW)
    axes.text(4.3, 4.6, "one row $e_p$ for each position p", va="center")
    arrow(axes, (2.5, 4.05), (2.5, 2.8), "$e_p$")
    arrow(axes, (0.5, y), (1.65, y))
    axes.text(0.3, y, "z", ha="right", va="center", style="italic")
    previous = None
    for name, x in places.items():
        box(axes, x, y, 1.6, 1.2, name, NEW)
        if previous:
            arrow(axes, (previous + 0.8, y), (x - 0.85, y))
        previous = x
    arrow(axes, (11.3, y), (11.75, y))
    around(axes, 1.0, 12.1, y, 0.5)
    circle(axes, 12.1, y)
    arrow(axes, (12.45, y), (13.0, y))
    box(axes, 14.0, y, 1.9, 1.9, "block\nMSA,\nMLP", PLAIN)
    arrow(axes, (14.95, y), (15.55, y))
    alt = (
        "z and the embedding of the position are concatenated, normalised, projected, passed through GELU and "
        "dropout, and added to z before the usual block."
    )
    return themed(axes.figure, alt)


@styled
def position_prediction() -> "HTML":
    """Figure 3, LayerShuffle-predict: after its block a layer names its position (§3.4)."""
    axes = canvas(15.6, 4.6)
    top, low = 3.7, 1.0
    axes.text(0.3, top, "z", ha="right", va="center", style="italic")
    arrow(axes, (0.5, top), (1.3, top))
    box(axes, 3.0, top, 3.2, 1.2, "block of layer i", PLAIN)
    arrow(axes, (4.6, top), (10.2, top))
    axes.text(7.4, top + 0.2, "$z_t$ (all tokens)", ha="center", va="bottom")
    box(axes, 11.9, top, 3.2, 1.2, "next layer", PLAIN)
    arrow(axes, (13.5, top), (14.3, top))
    axes.plot([5.2, 5.2], [top, low], color=INK, linewidth=1)
    axes.plot([5.2, 5.2], [low, low], color=INK)
    arrow(axes, (5.2, low), (5.75, low))
    for x, name in {6.7: "mean of\ntokens", 8.9: "LN", 10.9: "W$_{pred}$"}.items():
        box(axes, x, low, 1.8 if x < 8 else 1.3, 1.2, name, GUESS)
    arrow(axes, (7.6, low), (8.2, low))
    arrow(axes, (9.55, low), (10.2, low))
    arrow(axes, (11.55, low), (12.3, low))
    axes.text(12.4, low, "u: “I run at\nposition p”", ha="left", va="center")
    alt = (
        "The output of a block goes on to the next layer; the mean of its tokens is also normalised and projected to "
        "one score for each position."
    )
    return themed(axes.figure, alt)


def canvas(width: float, height: float) -> "Axes":
    """Axes without a frame in which both units are equally long, `width` of them across the page."""
    _, axes = new(4.8, 4.8 * height / width)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    axes.axis("off")
    return axes


def box(axes: "Axes", x: float, y: float, width: float, height: float, text: str, fill, ink: str = "white") -> None:
    """A rounded box around (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    round_ = "round,pad=0,rounding_size=0.15"
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, round_, facecolor=fill, lw=0))
    axes.text(x, y, text, ha="center", va="center", color=ink, fontsize=8, linespacing=1.1)


def arrow(axes: "Axes", start: tuple[float, float], end: tuple[float, float], text: str = "") -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1, "shrinkA": 0, "shrinkB": 0})
    if text:
        axes.text(start[0] + 0.2, (start[1] + end[1]) / 2, text, va="center")


def around(axes: "Axes", start: float, end: float, y: float, low: float) -> None:
    """The residual path: from (start, y) below the boxes to (end, y)."""
    axes.plot([start, start, end], [y, low, low], color=INK, linewidth=1, solid_joinstyle="round")
    arrow(axes, (end, low), (end, y - 0.35))


def circle(axes: "Axes", x: float, y: float) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle((x, y), 0.33, fill=False, edgecolor=INK, lw=1))
    axes.text(x, y, "+", ha="center", va="center")
