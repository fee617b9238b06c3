"""How the book's tables look, what stands below tables and figures, and numbers as text."""

import base64
import html
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from IPython.display import HTML

from lsnotebook.core.statistics import crossed

Source: TypeAlias = pd.DataFrame | dict[str, pd.DataFrame] | None
"""What a figure or table was made from: one table, or several by their name."""


def table(frame: pd.DataFrame, made: str = "", decimals: int = 2, data: Source = None) -> HTML:
    """A data frame as the book's tables look, scrollable on a phone; `made` says how it was made.

    What can be saved as a CSV file is the frame itself, or `data` where the frame is made for the eye.
    """
    if frame.empty:
        return HTML(f'<p class="themed">None.</p>{footnote(made)}')
    digits = f"{{:.{decimals}f}}"
    body = frame.to_html(
        border=0, float_format=lambda x: signed(digits.format(x)), na_rep="–", index_names=False, escape=False
    )
    body = re.sub(r"(\d|%|×|points) \[([^]<]*)\]", r"\1<br><small>[\2]</small>", body)  # intervals below their means
    body = re.sub(r"(?<=[a-z])'(?=[a-z ])", "’", body)
    below = footnote(made, frame if data is None else data)
    return HTML(f'<div class="themed scroll" tabindex="0">{body}</div>{below}')  # the keyboard scrolls it, too


def footnote(made: str, data: Source = None) -> str:
    """Below a figure: a link to its data, which are embedded in the page, and how it was made, folded.

    In the book the file is called after its figure (`book/_ext/downloads.py`).
    """
    if not made:
        return ""
    link = ""
    if data is not None:
        frame = pd.concat(data, names=["source"]).reset_index(level=0) if isinstance(data, dict) else data
        plain = frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()
        csv = base64.b64encode(plain.to_csv(index=False, float_format="%.6g").encode()).decode()
        link = f'<a download="data.csv" href="data:text/csv;base64,{csv}">Data (CSV)</a>'
    how = f"<details><summary>How this was made</summary>{html.escape(made)}</details>"
    return f'<div class="themed made">{link}{how}</div>'


def mean_and_interval(values: np.ndarray, limits: tuple[float, float] | None = None, unit: str = "") -> str:
    """The mean of fractions and its 95 % interval (`statistics.crossed`), in %: "14.6 [14.2, 14.9]"."""
    return in_percent(crossed(values, limits), unit)


def in_percent(row: Any, unit: str = "") -> str:
    """A mean of fractions and its interval (mean, low, high of a `statistics.Estimate` or of a row), in %."""
    return as_text(100 * row.mean, 100 * row.low, 100 * row.high, unit)


def mean_and_std(mean: float, std: float) -> str:
    """Fractions in %: "82.61 ± 0.08", which no line breaks, or the mean alone where there is one value only."""
    return f"{100 * mean:.2f}" + (f"\u00a0±\u00a0{100 * std:.2f}" if std >= 0 else "")


def as_text(value: float | None, low: float | None, high: float | None, unit: str = "", decimals: int = 1) -> str:
    """A quantity and its interval, where it has one: "14.6 % [14.2, 14.9]"; a line may break between the two only."""
    if pd.isna(value):
        return "–"
    interval = "" if pd.isna(low) else f" [{low:z.{decimals}f},\u00a0{high:z.{decimals}f}]"
    return signed(f"{value:z.{decimals}f}{unit}{interval}")  # z: what is rounded to zero has no sign


def percent(share: float, decimals: int = 1) -> str:
    """A fraction in a sentence: "17.5 %", which no line breaks."""
    return signed(f"{100 * share:.{decimals}f}\u00a0%")


def adding_up(first: float, second: float) -> int:
    """With so many decimals two rounded numbers differ by their rounded difference: a reader who subtracts them finds
    what is said. Two where no number up to three does."""

    def gap(digits: int) -> float:
        return abs(round(first, digits) - round(second, digits) - round(first - second, digits))

    return next((digits for digits in (1, 2, 3) if gap(digits) < 1e-9), 2)


def listed(lead: str, items: Iterable[str], end: str = "") -> str:
    """A sentence, a list below it, and a sentence below that, as Markdown."""
    return "\n".join([lead, "", *(f"- {item}" for item in items), "", end])


def over(texts: Iterable[str], population: str) -> str:
    """What the intervals in some texts are over, for a bracket; or why there are none (`statistics.crossed`)."""
    if any("[" in text for text in texts):
        return f"95\u00a0% intervals over {population}"
    return "without intervals, which take more than two networks that differ"


def ending(text: str) -> str:
    """The sentence below the list of a `listed`."""
    return text.rpartition("\n")[2]


def some(titles: Sequence[str]) -> str:
    """Titles in a sentence: "ViT, LayerShuffle and LayerDrop"."""
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if titles[1:] else titles) or "none of them"


def sentence(text: str) -> HTML:
    """A sentence in HTML that another page shows, too: MyST-NB takes no Markdown there."""
    return HTML(f'<p class="themed">{text}</p>')


def signed(text: str) -> str:
    """`text` with true minus signs before its numbers."""
    return re.sub(r"(?<![\w.)-])-(?=[\d.])", "−", text)
