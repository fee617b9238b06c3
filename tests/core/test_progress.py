"""The progress bar: what it shows while work is done, and what is left of it."""

from lsnotebook.core.progress import Progress


def test_progress_ends_in_one_plain_line():
    with Progress(4, "training <b>") as progress:
        progress.advance(1)
        assert repr(progress).startswith("training <b>: 1 of 4, about ")
        assert "<progress value=1 max=4>" in progress._repr_html_()
        progress.advance(3)
    assert "done in 0 s" in repr(progress)
    assert "<progress" not in progress._repr_html_() and "&lt;b&gt;" in progress._repr_html_()
