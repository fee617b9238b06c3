"""The diagrams of §3, drawn by code: Figures 1a, 2 and 3.

One unit of a diagram is a line of text, so that what fits here fits on a phone: `WIDTH` of them span the page.
"""

from collections.abc import Mapping, Sequence

from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from lsnotebook.core.orders import check_order
from lsnotebook.layershuffle.approaches import COLOURS
from lsnotebook.pages.style import INK, new, styled, text_on, themed, tile_colours

WIDTH = 29
LINE = 12
"""Height of a line in points."""
FONT = 10
HEIGHT = 2
"""Of a box; half of it is left free between a box and the next one."""
USUAL = "#666666"
"""The colour of what the variants of §3 leave as it is."""


@styled
def layershuffle(orders: Mapping[str, Sequence[int]], layers: int = 12) -> HTML:
    """Figure 1a: one row for each named order, from the patches through the layers in running order to the class.

    A layer has the same colour in every row. Raises `OrderError`.
    """
    rows = {name: check_order(order, layers) for name, order in orders.items()}
    colours = tile_colours(layers)
    start, end, row_height = 3.3, 24.1, 3.7
    pitch = (end - start) / max(map(len, rows.values()))
    tile = pitch - min(0.25, pitch / 6)
    axes = canvas(row_height * len(rows) - 0.3)
    for row, (name, order) in enumerate(rows.items()):
        y = row_height * (len(rows) - row - 1) + HEIGHT / 2
        label(axes, start, y + 1.65, name, ha="left")
        patches(axes, 1.1, y)
        arrow(axes, (2.2, y), (start, y))
        for position, index in enumerate(order):
            x = start + position * pitch + tile / 2
            box(axes, x, y, str(index), tile, colours[index][0], size=min(FONT, 0.55 * LINE * tile))
        arrow(axes, (start + (len(order) - 1) * pitch + tile, y), (end + 0.9, y))
        box(axes, 26.9, y, "class", 3.8, USUAL)
    spoken = "; ".join(f"{name}: {', '.join(map(str, order))}" for name, order in rows.items())
    alt = f"From the patches of an image to its class through the same layers in different orders. {spoken}."
    return themed(axes.figure, alt)


@styled
def position_encoding() -> HTML:
    """Figure 2, LayerShuffle-position: before its block a layer adds an embedding of its position (§3.3)."""
    colour = COLOURS["layershuffle-position"]
    axes = canvas(11.7)
    y, add, table = 8.7, 26.6, 3.9
    label(axes, 0.5, y, "$z$")
    steps = {"concat": 3.9, "LN": 2.6, r"$W_\mathrm{proj}$": 3.7, "GELU": 3.5, "Dropout": 4.5}
    chain(axes, 1.1, y, steps, colour, end=add - 0.7)
    arrow(axes, (1.6, y), (1.6, y + 2.2), (add, y + 2.2), (add, y + 0.7))
    plus(axes, add, y)
    arrow(axes, (add, y - 0.7), (add, 6.5))
    box(axes, add, 5.5, "MSA", 4.2, USUAL)
    arrow(axes, (add, 4.5), (add, 3.5))
    box(axes, add, 2.5, "MLP", 4.2, USUAL)
    arrow(axes, (add, 1.5), (add, 0.2))
    for cell in range(12):
        x = 4.15 + 1.45 * (cell - 2)
        box(axes, x, table, "$p$" if cell == 2 else "", 1.25, colour, 1.6, alpha=1 if cell == 2 else 0.3)
    arrow(axes, (4.15, table + 0.8), (4.15, y - 1))
    label(axes, 4.6, (table + y) / 2 - 0.1, "$e_p$", ha="left")
    label(axes, 0.6, 1.9, "layer $i$: one $e_p$ for each position", ha="left")
    alt = (
        "LayerShuffle-position. A layer looks up the embedding of its position in a table of its own; z and this "
        "embedding are concatenated, normalised, projected by W_proj, passed through GELU and dropout, and added to z "
        "before the usual block of attention (MSA) and MLP."
    )
    return themed(axes.figure, alt)


@styled
def position_prediction() -> HTML:
    """Figure 3, LayerShuffle-predict: after its block a layer predicts its position (§3.4)."""
    colour = COLOURS["layershuffle-predict"]
    axes = canvas(12.1)
    top, low, branch, guess, out = 10.4, 5.2, 6.9, 20.1, 26.6
    arrow(axes, (0.1, top), (1.1, top))
    box(axes, 3.1, top, "layer $i$", 4, USUAL)
    arrow(axes, (5.1, top), (10.1, top))
    label(axes, branch + 0.1, top + 0.9, "$z_t$")
    box(axes, 13.2, top, "next layer", 6.2, USUAL)
    arrow(axes, (16.3, top), (17.5, top))
    label(axes, 19.4, top, "· · ·")
    arrow(axes, (21.2, top), (out - 1.9, top))
    box(axes, out, top, "class", 3.8, USUAL)
    arrow(axes, (branch, top), (branch, low + 1.3))
    box(axes, branch, low, "mean of\ntokens", 4.6, colour, 2.6)
    chain(axes, branch + 2.3, low, {"LN": 2.6, r"$W_\mathrm{pred}$": 3.7}, colour, end=guess - 1.9)
    for position, height in enumerate((0.3, 0.5, 0.3, 2, 0.4, 0.2)):
        x = guess + 0.6 * (position - 2.5)
        axes.bar(x, height, 0.42, low - 1, color=colour)
    label(axes, guess, low + 2.1, "“my position is $p$”")
    alt = (
        "LayerShuffle-predict. The output of a layer goes on to the next layer and in the end to the class; the mean "
        "of its tokens is also normalised and projected by W_pred to one score for each position. The loss is the "
        "cross-entropy of the class plus those of the positions that all layers predict."
    )
    arrow(axes, (guess, low - 1.2), (guess, 2.1))
    arrow(axes, (out, top - 1), (out, 2.1))
    box(axes, WIDTH / 2, 1.05, "", WIDTH - 0.4, INK, alpha=0.12)
    label(axes, guess - 2.3, 1.05, "loss = cross-entropy of", ha="right")
    label(axes, guess, 1.05, "position")
    label(axes, (guess + out) / 2 - 0.05, 1.05, "+")
    label(axes, out, 1.05, "of class")
    return themed(axes.figure, alt)


def canvas(height: float) -> Axes:
    """Axes without a frame that fill the figure, `WIDTH` by `height` lines of text."""
    figure, [[axes]] = new(WIDTH * LINE / 72, height * LINE / 72)
    figure.set_layout_engine("none")
    axes.set(xlim=(0, WIDTH), ylim=(0, height), position=(0, 0, 1, 1))
    axes.axis("off")
    return axes


def label(axes: Axes, x: float, y: float, text: str, ink: str = INK, size: float = FONT, ha: str = "center") -> None:
    """Text in the middle of the line at `y`: by its baseline, so that neighbours with and without index agree."""
    if "\n" in text:
        axes.text(x, y, text, color=ink, size=size, ha=ha, va="center", linespacing=1.1)
    else:
        axes.text(x, y - 0.36 * size / LINE, text, color=ink, size=size, ha=ha, va="baseline")


def box(
    axes: Axes, x: float, y: float, text: str, width: float, fill, height: float = HEIGHT, alpha=1, size=FONT
) -> None:
    """A rounded box around (x, y), its text black or white, whichever is read better on the fill."""
    shape = f"round,pad=0,rounding_size={min(0.35, width / 4)}"
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, shape, facecolor=fill, lw=0, alpha=alpha))
    if text:
        label(axes, x, y, text, text_on(fill), size)


def arrow(axes: Axes, *points: tuple[float, float]) -> None:
    """A thin line through the points with a head at the last."""
    axes.add_patch(FancyArrowPatch(path=Path(points), arrowstyle="-|>", mutation_scale=8, color=INK, fill=True))


def chain(axes: Axes, start: float, y: float, widths: Mapping[str, float], fill, end: float) -> None:
    """Boxes of the given widths from `start` to `end`, with arrows of the same length before, between and after."""
    gap = (end - start - sum(widths.values())) / (len(widths) + 1)
    for text, width in widths.items():
        arrow(axes, (start, y), (start + gap, y))
        box(axes, start + gap + width / 2, y, text, width, fill)
        start += gap + width
    arrow(axes, (start, y), (end, y))


def plus(axes: Axes, x: float, y: float) -> None:
    axes.add_patch(Circle((x, y), 0.7, fill=False, edgecolor=INK, lw=1))
    axes.plot([x - 0.35, x + 0.35], [y, y], color=INK, lw=1)
    axes.plot([x, x], [y - 0.35, y + 0.35], color=INK, lw=1)


def patches(axes: Axes, x: float, y: float) -> None:
    """An image cut into nine."""
    for across in (-0.67, 0, 0.67):
        for up in (-0.67, 0, 0.67):
            box(axes, x + across, y + up, "", 0.55, INK, 0.55, alpha=0.55)
