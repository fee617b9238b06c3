"""The base of all errors whose message is one sentence for the user."""


class LsnotebookError(Exception):
    """What was wrong, what is allowed, what to do. The command line and the notebooks show this sentence alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]  # IPython shows this in place of a traceback
