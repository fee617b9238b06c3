"""A run of a swarm that a reader can play, pause and step: for a page without a server, by `timeline.js`."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from IPython.display import HTML

from lsnotebook.pages.style import tile_colours
from lsnotebook.pages.tables import footnote
from lsnotebook.swarm.driver import Fault
from lsnotebook.swarm.hops import Node

FOLDER = Path(__file__).parent


def hops(rows: pd.DataFrame) -> pd.DataFrame:
    """The hops that counted, one a row: node, layer, start, end, request."""
    found = [
        (node, block.layer, begun, ended, row.request)
        for row in rows.itertuples()
        for node, block, begun, ended in zip(row.nodes, row.route, row.begun, row.ended, strict=True)
    ]
    return pd.DataFrame(found, columns=["node", "layer", "start", "end", "request"])


def deaths(faults: Sequence[Fault], end: float) -> pd.DataFrame:
    """Who died when, up to a time: node, time."""
    found = [(fault.node, fault.time) for fault in faults if fault.kind in ("kill", "crash") and fault.time <= end]
    return pd.DataFrame(found, columns=["node", "time"])


def player(rows: pd.DataFrame, nodes: Sequence[Node], faults: Sequence[Fault], layers: int, made: str = "") -> HTML:
    """Rows of `driver.drive` to be played; without JavaScript, a sentence."""
    ran, end = hops(rows), float(rows["answered"].max())
    data = {
        "layers": layers,
        "colours": tile_colours(layers),
        "nodes": list(nodes),
        "hops": ran.round(3).to_dict("records"),
        "deaths": deaths(faults, end).round(3).to_dict("records"),
        "answered": rows["answered"].round(3).tolist(),
        "end": round(end, 3),
    }
    script, style = ((FOLDER / f"timeline.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    content = json.dumps(data).replace("</", "<\\/")
    return HTML(
        f'<div class="themed"><style>{style}</style><div class="sw-player"><p>Playing the run takes JavaScript; the '
        f'figure above has its first part.</p><script type="application/json">{content}</script></div>'
        f'<p class="sw-print">It plays on the page.</p><script type="module">\n{script}</script></div>'
        f"{footnote(made, ran)}"
    )
