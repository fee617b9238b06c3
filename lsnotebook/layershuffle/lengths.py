"""What a longer refinement changes (§4.1, §4.4): recorded networks that differ only in the steps they were refined for.

As a table, its figure, and its sentences.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lsnotebook.core.profiles import Part
from lsnotebook.layershuffle.approaches import TITLES
from lsnotebook.layershuffle.curves import chance_line, legend, lines
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.pages.results import recorded
from lsnotebook.pages.style import new, styled
from lsnotebook.pages.tables import listed, mean_and_std


def networks(part: Part, scales: Mapping[str, Iterable[Study]]) -> tuple[dict[str, pd.DataFrame], str]:
    """The rows of `records.networks` with their steps, by the name of the scale, and how they were made.

    Only of those scales where two numbers of steps or more were recorded.
    """
    found: dict[str, pd.DataFrame] = {}
    made: list[str] = []
    for name, profiles in scales.items():
        there, refused = recorded(part, "networks", profiles)
        if len(there) > 1:
            tables = [one.rows.assign(steps=one.profile.refine.steps) for one in there.values()]
            found[name] = pd.concat(tables, ignore_index=True)
            made += map(str, there.values())
        made += refused
    return found, " · ".join(made)


@styled
def curves(
    tables: Mapping[str, pd.DataFrame],
    panels: Mapping[str, tuple[str, Mapping[str, str]]],
    chance: Mapping[str, float],
) -> Figure:
    """Measures of `networks` against the steps of the refinement: mean, and a band of one standard deviation. One panel
    below the other, so that the type is as large on a phone as that of other figures; approaches side by side, so that
    equal values do not hide one another.

    `panels` gives for each its axis label and its measures, each with its line style; `chance` is marked in the first.
    """
    figure, drawn = new(4.8, 0.7 + 2.3 * len(tables) * len(panels), rows=len(tables) * len(panels))
    for (scale, table), axes in zip(tables.items(), np.split(drawn[:, 0], len(tables)), strict=True):
        chance_line(axes[0], chance[scale])
        steps = sorted(table["steps"].unique())
        for panel, (title, (label, measures)) in zip(axes, panels.items(), strict=True):
            shown = table[table["measure"].isin(measures)].rename(columns={"number": "seed"})
            shifts = aside(steps, shown["approach"].unique())
            for (approach, measure), group in shown.groupby(["approach", "measure"], sort=False):
                moved = group.assign(steps=group["steps"] * shifts[approach])
                lines(panel, moved, "steps", "value", approach, linestyle=measures[measure])
            panel.set(title=title if len(tables) == 1 else f"{scale}: {title}", ylabel=label, xscale="log")
            panel.set(ylim=(0, None), xlabel="steps of the refinement")
            panel.set_xticks(steps, [f"{count:,}" for count in steps])
            panel.minorticks_off()
    legend(figure, drawn.flat, columns=2)
    return figure


def aside(steps: Sequence[int], approaches: Sequence[str]) -> dict[str, float]:
    """By what the steps are multiplied, so that the points of several approaches stand side by side around their tick,
    at most 4 % of the distance to the next one from it."""
    most = 0.04 * np.diff(np.log(steps)).min()
    places = np.linspace(-most, most, len(approaches)) if len(approaches) > 1 else [0.0]
    return dict(zip(approaches, np.exp(places).tolist(), strict=True))


def told(tables: Mapping[str, pd.DataFrame], measures: Mapping[str, str], over: str = "networks") -> str:
    """Some measures (fractions, and what they are called) at the fewest and at the most steps."""
    texts = []
    for scale, table in tables.items():
        fewest, most = table["steps"].min(), table["steps"].max()
        lead = (
            f"On `{scale}`, refined for {fewest:,} → {most:,} steps, in % (mean ± standard deviation over the {over}):"
        )
        texts.append(listed(lead, changes(table, measures, (fewest, most))))
    return "\n\n".join(texts) or "No other number of steps has been recorded."


def changes(table: pd.DataFrame, measures: Mapping[str, str], steps: Sequence[int]) -> Iterator[str]:
    """For each approach that was recorded at the first and the last of the steps, its measures at both."""
    for approach, group in table.groupby("approach", sort=False):
        at = group.groupby(["measure", "steps"])["value"].agg(["mean", "std"])
        parts = [
            f"{name} {' → '.join(mean_and_std(*at.loc[measure, count]) for count in steps)}"
            for measure, name in measures.items()
            if {(measure, count) for count in steps} <= set(at.index)
        ]
        if parts:
            yield f"**{TITLES[str(approach)]}**: {', '.join(parts)}."
