"""Lines that may lie on one another, as those of methods that do the same: each shows beneath the next."""

from typing import Any

DASHES = "-", (0, (5, 2)), (0, (1.5, 1.5))


def strokes(count: int) -> list[dict[str, Any]]:
    """The style of each of `count` lines, in the order in which they are drawn: ever narrower, with ever smaller
    markers, solid, dashed and dotted in turn."""
    shares = [1 - place / max(count - 1, 1) for place in range(count)]
    return [
        {"linewidth": 1.4 + 2.4 * share, "markersize": 3.5 + 3.5 * share, "linestyle": DASHES[place % len(DASHES)]}
        for place, share in enumerate(shares)
    ]
