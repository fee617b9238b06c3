"""The chapter's figures, each from a data frame; no computation."""

from collections.abc import Sequence

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lsnotebook.bpta.games import Game
from lsnotebook.bpta.measurements import WAYS
from lsnotebook.pages.strokes import strokes
from lsnotebook.pages.style import INK, new, styled, text_on
from lsnotebook.pages.tables import signed

COLOURS = dict(zip(WAYS, ("#7f7f7f", "#1a85cf", "#c8553d", "#1a85cf", "#c8553d"), strict=True))
PANELS = {"REINFORCE": ("independent", "plain", "feedback"), "PPO": ("ppo", "bppo")}


@styled
def curves(frame: pd.DataFrame, game: Game) -> Figure:
    """The exact expected return of a game against the update: mean over the seeds, and a band of one standard
    deviation; thin lines are the optimum and 80 % of it."""
    figure, [panels] = new(4.8, 3.6, columns=2, sharey=True)
    figure.suptitle(game.title, fontsize=10)
    for panel, (name, ways) in zip(panels, PANELS.items(), strict=True):
        for level, line in ((game.optimum, "-"), (game.goal, ":")):
            panel.axhline(level, color=INK, linewidth=0.8, linestyle=line, alpha=0.6)
        for way, style in zip(ways, strokes(len(ways)), strict=True):
            wide = frame[frame["way"] == way].pivot(index="update", columns="seed", values="return")
            mean, std = wide.mean(axis=1), wide.std(axis=1).fillna(0)
            panel.fill_between(mean.index, mean - std, mean + std, color=COLOURS[way], alpha=0.2, linewidth=0)
            panel.plot(mean, color=COLOURS[way], label=WAYS[way], **style)
        panel.set_xlabel("updates")
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        panel.legend(title=name, loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=9)
    panels[0].set_ylabel("expected return")
    return figure


@styled
def orders(frame: pd.DataFrame, games: Sequence[Game]) -> Figure:
    """Mean greedy return of agents trained in an order (row) and run in another (column), a panel a game, coloured from
    the lowest pay-off to the highest; a frame marks the order of training."""
    size, across = max(len(game.orders()) for game in games), min(2, len(games))
    rows = -(-len(games) // across)
    figure, grid = new(max(4.2, 1.1 + 0.62 * size * across), 0.3 + rows * (0.9 + 0.36 * (size + 1)), rows, across)
    for panel in grid.flat[len(games) :]:
        panel.remove()
    for panel, game in zip(grid.flat, games, strict=False):
        there = frame[frame["game"] == game.name]
        table = there.pivot_table("return", "trained", "run", aggfunc="mean", sort=False)
        limits = mpl.colors.Normalize(game.payoff.min(), game.optimum)
        panel.imshow(table, cmap="viridis", norm=limits, aspect="auto")
        for row, trained in enumerate(table.index):
            for column, run in enumerate(table.columns):
                value = table.iloc[row, column]
                colour = text_on(mpl.colormaps["viridis"](limits(value)))
                panel.text(column, row, signed(f"{value:.1f}"), color=colour, ha="center", va="center", fontsize=9)
                if trained == run:
                    panel.add_patch(mpl.patches.Rectangle((column - 0.47, row - 0.45), 0.94, 0.9, fill=False, ec=colour,
                                                          linewidth=1.5))  # fmt: skip
        panel.set(title=game.title, xlabel="run in", xticks=range(len(table.columns)), yticks=range(len(table)))
        panel.set_xticklabels(table.columns, fontsize=9, rotation=0 if size < 3 else 90)
        panel.set_yticklabels(table.index if panel in grid[:, 0] else [])
        panel.title.set_fontsize(9.5)
        panel.spines[:].set_visible(False)
        panel.tick_params(length=0)
    for panel in grid[:, 0]:
        panel.set_ylabel("trained in")
    return figure
