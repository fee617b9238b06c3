"""The verdicts on the claims, from their statements: for a page, a terminal, a program."""

import html
import math
from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD, VERDICTS
from lsnotebook.pages.tables import as_text, signed

MARKS = {HOLDS: "✓", FAILS: "✗", UNTOLD: "?"}
"""A verdict needs no colour."""
UNITS = {"%": "\u00a0%", "times": "×"}
"""What the name of a quantity ends in, and how its numbers are shown; others are in points."""


def verdicts(statements: pd.DataFrame) -> pd.Series:
    """The verdict of each claim, from those of its statements: it holds if all do, and does not if one does not."""

    def together(parts: pd.Series) -> str:
        return HOLDS if (parts == HOLDS).all() else FAILS if (parts == FAILS).any() else UNTOLD

    return statements.groupby("id", sort=False)["verdict"].agg(together)


def summary(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> str:
    """How many claims hold, naming the others, in a sentence; and one for each recorded scale with other verdicts."""
    found = verdicts(statements)
    hold, fail, untold = ([*found.index[found == verdict]] for verdict in VERDICTS)
    others = [f" ({', '.join(names)})" if names else "" for names in (fail, untold)]
    told = [
        f"Of {len(found)} claims, <b>{len(hold)}</b> hold{'s' * (len(hold) == 1)}, <b>{len(fail)}</b> "
        f"{'does' if len(fail) == 1 else 'do'} not{others[0]}, and <b>{len(untold)}</b> "
        f"{'is' if len(untold) == 1 else 'are'} undecided{others[1]}."
    ]
    for title, table in recorded.items():
        other = [
            f"{name} {verdict}" for name, verdict in verdicts(table).items() if found.get(name, verdict) != verdict
        ]
        told += [f"Otherwise at {title.removeprefix('recorded, ')} (recorded): {', '.join(other)}."] if other else []
    return " ".join(told)


def records(statements: pd.DataFrame) -> list[dict]:
    """One object for each claim: id, claim, page, figure, the columns of the statement that decides, all statements.

    The statement that decides is, of those with the claim's verdict, the one whose interval is nearest to its bound.
    """
    found, objects = verdicts(statements), []
    columns = ["rule", "bound", "above", "below", "paper", "build", "low", "high", "over", "verdict", "otherwise"]
    for name, group in statements.groupby("id", sort=False):
        rows = group[columns].astype(object).where(group[columns].notna(), None).to_dict("records")
        deciding = min((row for row in rows if row["verdict"] == found[name]), key=margin)
        claim = {key: group[key].iloc[0] for key in ("id", "claim", "page", "figure")}
        objects.append({**claim, **deciding, "statements": rows})
    return objects


def margin(row: Mapping) -> float:
    """How far the interval of a statement lies inside its bounds, in widths of the interval."""
    if pd.isna(row["low"]):
        return math.inf
    inside = [row["low"] - row["above"]] if not pd.isna(row["above"]) else []
    inside += [row["below"] - row["high"]] if not pd.isna(row["below"]) else []
    return min(inside, default=math.inf) / max(row["high"] - row["low"], 1e-9)


def marked(verdict: str) -> str:
    """A verdict in words and with a mark, so that it needs no colour."""
    return f"{MARKS[verdict]} {verdict}"


def words(text: str, *small: str) -> str:
    lines = "".join(f"<br><small>{signed(line)}</small>" for line in small)
    return f'<div class="words">{signed(text)}{lines}</div>'


def verdict(text: str) -> str:
    return f'<div class="verdict {text.replace(" ", "-")}">{marked(text)}</div>'


def measured(row: Mapping) -> tuple[str, str, str]:
    """What a statement measures, what its rule asks for, and the unit of its quantity, from the text of its rule."""
    quantity, _, asked = row["rule"].rpartition(": ")
    what, _, unit = quantity.rpartition(", ")
    return (what, asked, UNITS[unit]) if unit in UNITS else (quantity, asked, "\u00a0points")


def quantity(row: Mapping) -> str:
    """A statement's quantity with its interval, and what this is over."""
    text = as_text(row["build"], row["low"], row["high"], measured(row)[2])
    return f'<div class="quantity">{text}<br><small>{row["over"]}</small></div>'


def published(row: Mapping) -> str:
    """The paper's number, where it gives one."""
    text = "" if pd.isna(row["paper"]) else as_text(row["paper"], None, None, measured(row)[2])
    return f'<div class="quantity published">{text}</div>'


def bar(row: Mapping) -> str:
    """A statement as a picture: shaded, where its rule holds; a line, its interval; a dot, its quantity; a diamond, the
    paper's. A share is drawn from 0 to 100 %, anything else over what there is to show."""
    _, asked, unit = measured(row)
    known = {key: row[key] for key in ("build", "low", "high", "paper", "above", "below") if not pd.isna(row[key])}
    if "build" not in known:
        return ""
    ends = [*known.values(), 0, *([100] if unit == UNITS["%"] else [])]
    first, span = min(ends), (max(ends) - min(ends)) or 1
    x = {key: round(6 + 108 * (value - first) / span, 1) for key, value in known.items()}
    left, right = x.get("above", 0), x.get("below", 120)
    low, high = x.get("low", x["build"]), x.get("high", x["build"])
    parts = [
        f'<rect x="{left}" width="{round(right - left, 1)}" height="16" fill="#1a85cf" fill-opacity="0.25"/>',
        *(f'<path d="M{x[end]} 0v16" stroke="#1a85cf" stroke-width="2"/>' for end in ("above", "below") if end in x),
        f'<path d="M{low} 8H{high}M{low} 4v8M{high} 4v8" stroke="currentColor" stroke-width="2"/>',
        f'<circle cx="{x["build"]}" cy="8" r="3.5" fill="currentColor"/>',
    ]
    if "paper" in x:
        parts.append(f'<path d="M{x["paper"]} 3l5 5-5 5-5-5z" fill="none" stroke="#c8553d" stroke-width="2"/>')
    alt = f"{row['build']:.1f}{unit}" + (f", interval from {row['low']:.1f} to {row['high']:.1f}" if "low" in x else "")
    alt += f"; rule: {asked}" + (f"; paper: {row['paper']:.1f}{unit}" if "paper" in x else "")
    label = f'role="img" aria-label="{html.escape(signed(alt))}"'
    return f'<svg class="bar" {label} viewBox="0 0 120 16" width="120" height="16">{"".join(parts)}</svg>'


def link(claim: Mapping) -> str:
    """To the figure concerned. The book leads it to its own page (`book/_ext/page_links.py`)."""
    place = f"#{claim['figure']}" if claim["figure"] else ""
    return f'<a href="{claim["page"]}.ipynb{place}">{claim["id"]}</a>'


def board(statements: pd.DataFrame) -> pd.DataFrame:
    """The scoreboard for a page: one row for each claim, with the statement that decides and a link to its figure; the
    paper's numbers where it gives any."""
    rows = {}
    for claim in records(statements):
        what, asked, unit = measured(claim)
        rows[link(claim)] = {
            "claim": words(claim["claim"]) + verdict(claim["verdict"]),
            "measured as": words(what),
            "rule": words(asked + unit),
            "paper": published(claim),
            "ours": bar(claim) + quantity(claim),
        }
    return with_paper(pd.DataFrame.from_dict(rows, orient="index"), statements)


def with_paper(shown: pd.DataFrame, statements: pd.DataFrame) -> pd.DataFrame:
    """The table, without the column of the paper's numbers where the paper gives none."""
    return shown.drop(columns="paper") if statements["paper"].isna().all() else shown


def details(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> pd.DataFrame:
    """One row for each statement: rule, where its bound comes from, what would change the verdict; and the quantity at
    each scale, where recorded statements are matched by their rule."""
    rows = statements.to_dict("records")
    columns = {"statement": [words(row["rule"], f"bound: {row['bound']}") + verdict(row["verdict"]) for row in rows]}
    for title, table in {"this build": statements, **recorded}.items():
        there = {(row["id"], row["rule"]): quantity(row) for row in table.to_dict("records")}
        columns[title] = [there.get((row["id"], row["rule"]), "") for row in rows]
    columns["paper"] = [published(row) for row in rows]
    columns["another verdict takes"] = [words(row["otherwise"]) for row in rows]
    shown = pd.DataFrame(columns).set_axis(statements["id"].where(~statements["id"].duplicated(), ""))
    return with_paper(shown, statements)


def matrix(boards: Mapping[str, pd.DataFrame], differing: bool = False) -> pd.DataFrame:
    """The verdict on each claim (row) in each of several statements (column), such as those of several scales;
    `differing` leaves out the claims whose verdict is the same wherever they were judged."""
    if not boards:
        return pd.DataFrame()
    texts = pd.concat([statements.drop_duplicates("id").set_index("id")["claim"] for statements in boards.values()])
    texts = texts[~texts.index.duplicated()].map(words)
    found = pd.DataFrame({title: verdicts(statements) for title, statements in boards.items()}).reindex(texts.index)
    shown = found.map(lambda each: "not run" if pd.isna(each) else verdict(each)).rename_axis(None)
    shown.insert(0, "claim", texts)
    return shown[found.nunique(axis=1) > 1] if differing else shown
