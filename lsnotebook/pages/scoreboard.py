"""The verdicts on the claims, from their statements: for a page, a terminal, a program."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD
from lsnotebook.pages.tables import as_text


def verdicts(statements: pd.DataFrame) -> pd.Series:
    """The verdict of each claim, from those of its statements: it holds if all do, and not if one does not."""

    def together(parts: pd.Series) -> str:
        return HOLDS if (parts == HOLDS).all() else FAILS if (parts == FAILS).any() else UNTOLD

    return statements.groupby("id", sort=False)["verdict"].agg(together)


def names(statements: pd.DataFrame, verdict: str) -> str:
    """The claims of this verdict, for a sentence."""
    found = verdicts(statements)
    return ", ".join(found.index[found == verdict]) or "none"


def records(statements: pd.DataFrame) -> list[dict]:
    """One object for each claim: id, claim, paper, build, interval, rule, verdict, page and statements.

    The numbers are those of the statement that decides: the first whose verdict is the claim's.
    """
    found, objects = verdicts(statements), []
    for name, group in statements.groupby("id", sort=False):
        rows = [
            {
                "rule": row.rule,
                "paper": None if pd.isna(row.paper) else row.paper,
                "build": row.build,
                "interval": [row.low, row.high],
                "verdict": row.verdict,
            }
            for row in group.itertuples()
        ]
        deciding = next(row for row in rows if row["verdict"] == found[name])
        claim = {"id": name, "claim": group["claim"].iloc[0], "page": group["page"].iloc[0]}
        objects.append({**claim, **deciding, "statements": rows})
    return objects


def marked(verdict: str) -> str:
    """A verdict in words and with a mark, so that it needs no colour."""
    mark = {HOLDS: "✓", FAILS: "✗", UNTOLD: "?"}[verdict]
    return f"{mark} {verdict}"


def board(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> pd.DataFrame:
    """The scoreboard for a page: one row for each claim, with the statement that decides and a link to its page.

    `recorded` are the statements of other scales by the title of their column: their verdict on the claim, and the
    same quantity.
    """
    others = {title: {claim["id"]: claim for claim in records(table)} for title, table in recorded.items()}
    rows = {}
    for claim in records(statements):
        row = {
            "claim": f'<div class="words">{claim["claim"]}<br><small>{claim["rule"]}</small></div>',
            "verdict": f'<div class="verdict">{marked(claim["verdict"])}</div>',
            "paper": "" if claim["paper"] is None else f"{claim['paper']:.1f}",
        }
        for title, claims in others.items():
            other = claims[claim["id"]]
            same = [part for part in other["statements"] if part["rule"] == claim["rule"]]
            row[title] = f'<div class="verdict">{marked(other["verdict"])}</div>' + "".join(
                as_text(part["build"], *part["interval"]) for part in same
            )
        row["this build"] = as_text(claim["build"], *claim["interval"])
        rows[f'<a href="{claim["page"]}.html">{claim["id"]}</a>'] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def details(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> pd.DataFrame:
    """The same for a page, one row for each statement; a recorded one stands where its rule is the same."""
    columns = {
        "statement": '<div class="words">' + statements["rule"] + "</div>",
        "verdict": '<div class="verdict">' + statements["verdict"].map(marked) + "</div>",
        "paper": statements["paper"].map("{:.1f}".format, na_action="ignore").fillna(""),
    }
    for title, table in {**recorded, "this build": statements}.items():
        there = {(row.id, row.rule): as_text(row.build, row.low, row.high) for row in table.itertuples()}
        columns[title] = [there.get((row.id, row.rule), "") for row in statements.itertuples()]
    return pd.DataFrame(columns).set_axis(statements["id"].where(~statements["id"].duplicated(), ""))
