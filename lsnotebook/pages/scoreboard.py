"""The verdicts on the claims, from their statements: for a page, a terminal, a program."""

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from lsnotebook.pages.statements import FAILS, HOLDS, UNTOLD
from lsnotebook.pages.tables import as_text


def verdicts(statements: pd.DataFrame) -> pd.Series:
    """The verdict of each claim, from those of its statements: it holds if all do, and does not if one does not."""

    def together(parts: pd.Series) -> str:
        return HOLDS if (parts == HOLDS).all() else FAILS if (parts == FAILS).any() else UNTOLD

    return statements.groupby("id", sort=False)["verdict"].agg(together)


def names(statements: pd.DataFrame, verdict: str) -> str:
    """The claims of this verdict, for a sentence."""
    found = verdicts(statements)
    return ", ".join(found.index[found == verdict]) or "none"


def records(statements: pd.DataFrame) -> list[dict]:
    """One object for each claim: id, claim, page, the columns of the statement that decides, and all statements.

    The statement that decides is the first whose verdict is the claim's.
    """
    found, objects = verdicts(statements), []
    columns = ["rule", "bound", "paper", "build", "low", "high", "over", "verdict", "otherwise"]
    for name, group in statements.groupby("id", sort=False):
        rows = group[columns].astype(object).where(group[columns].notna(), None).to_dict("records")
        deciding = next(row for row in rows if row["verdict"] == found[name])
        claim = {"id": name, "claim": group["claim"].iloc[0], "page": group["page"].iloc[0]}
        objects.append({**claim, **deciding, "statements": rows})
    return objects


def marked(verdict: str) -> str:
    """A verdict in words and with a mark, so that it needs no colour."""
    mark = {HOLDS: "✓", FAILS: "✗", UNTOLD: "?"}[verdict]
    return f"{mark} {verdict}"


def words(text: str, *small: str) -> str:
    lines = "".join(f"<br><small>{line}</small>" for line in small)
    return f'<div class="words">{text}{lines}</div>'


def verdict(text: str) -> str:
    return f'<div class="verdict">{marked(text)}</div>'


def quantity(row: Mapping) -> str:
    """A statement's quantity with its interval, and what this is over."""
    return f'{as_text(row["build"], row["low"], row["high"])}<div class="over"><small>{row["over"]}</small></div>'


def board(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> pd.DataFrame:
    """The scoreboard for a page: one row for each claim, with the statement that decides and a link to its notebook.

    `recorded` are the statements of other scales by the title of their column: their verdict on the claim, and the
    same quantity, or the rule that it was judged by where that is another. The book leads the links to its pages
    (`book/_ext/page_links.py`).
    """
    others = {title: {claim["id"]: claim for claim in records(table)} for title, table in recorded.items()}
    rows = {}
    for claim in records(statements):
        row = {
            "claim": words(claim["claim"], claim["rule"]),
            "verdict": verdict(claim["verdict"]),
            "paper": "" if claim["paper"] is None else f"{claim['paper']:.1f}",
        }
        for title, claims in others.items():
            if other := claims.get(claim["id"]):
                same = [quantity(part) for part in other["statements"] if part["rule"] == claim["rule"]]
                row[title] = verdict(other["verdict"]) + ("".join(same) or words(f"<small>{other['rule']}</small>"))
            else:
                row[title] = "not run"
        row["this build"] = quantity(claim)
        rows[f'<a href="{claim["page"]}.ipynb">{claim["id"]}</a>'] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def details(statements: pd.DataFrame, recorded: Mapping[str, pd.DataFrame] = MappingProxyType({})) -> pd.DataFrame:
    """The same for a page, one row for each statement: rule, where its bound comes from, what would change the
    verdict; recorded statements are matched by their rule."""
    rows = statements.to_dict("records")
    columns = {
        "statement": [words(row["rule"], f"bound: {row['bound']}") for row in rows],
        "verdict": [verdict(row["verdict"]) for row in rows],
        "another verdict takes": [words(row["otherwise"]) for row in rows],
        "paper": statements["paper"].map("{:.1f}".format, na_action="ignore").fillna(""),
    }
    for title, table in {**recorded, "this build": statements}.items():
        there = {(row["id"], row["rule"]): quantity(row) for row in table.to_dict("records")}
        columns[title] = [there.get((row["id"], row["rule"]), "") for row in rows]
    return pd.DataFrame(columns).set_axis(statements["id"].where(~statements["id"].duplicated(), ""))


def differing(boards: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The verdict on each claim (row) in each of several statements (column), where they are not all the same."""
    found = pd.DataFrame({title: verdicts(statements) for title, statements in boards.items()})
    return found[found.nunique(axis=1) > 1].map(lambda verdict: "not run" if pd.isna(verdict) else marked(verdict))
