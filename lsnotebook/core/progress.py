"""One progress bar for terminals and notebooks, which leaves no stray output in a built page.

tqdm's notebook bar is a widget, dead or blank in a static page; its terminal bar leaves a line of output for each
update. Here a terminal gets tqdm, and a notebook one `<progress>` element, updated in place.
"""

import html
import time
from types import TracebackType

from IPython import get_ipython
from IPython.display import display
from tqdm.std import tqdm


class Progress:
    """Counts up to `total` within a `with` block: `progress.advance(3)`.

    Shows nothing in the first `delay` seconds, so that work which is already done leaves no trace; never anything if
    `hidden`, as on all ranks but rank 0.
    """

    def __init__(self, total: int, label: str, delay: float = 0.0, hidden: bool = False):
        self.total, self.label, self.delay = total, label, float("inf") if hidden else delay
        self.done, self.start, self.shown, self.handle, self.bar = 0, time.monotonic(), 0.0, None, None

    def __enter__(self) -> "Progress":
        if not hasattr(get_ipython(), "kernel"):  # a terminal
            self.bar = tqdm(total=self.total, desc=self.label, delay=self.delay, dynamic_ncols=True)
        self.advance(0)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.handle:
            self.handle.update(self)
        if self.bar is not None:
            self.bar.close()

    def advance(self, count: int = 1) -> None:
        self.done += count
        now = time.monotonic()
        if self.bar is not None:
            self.bar.update(count)
        elif self.handle is None and now - self.start >= self.delay:
            self.handle, self.shown = display(self, display_id=True), now
        elif self.handle and now - self.shown > 0.5:  # a message to the page for each step is too many
            self.shown = now
            self.handle.update(self)

    def __repr__(self) -> str:
        spent = time.monotonic() - self.start
        if self.done >= self.total:
            return f"{self.label}: done in {spent:.0f} s"
        left = f", about {spent / self.done * (self.total - self.done):.0f} s left" if self.done else ""
        return f"{self.label}: {self.done} of {self.total}{left}"

    def _repr_html_(self) -> str:
        bar = f"<progress value={self.done} max={self.total}></progress> " if self.done < self.total else ""
        return f"{bar}<small class=themed>{html.escape(repr(self))}</small>"
