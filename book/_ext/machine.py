"""What a machine says about itself is no warning about a page.

MyST-NB warns of a cell that wrote to stderr, and `-W` fails on it: litter stays out of the pages, and no warning is
overlooked. The lines below depend on nothing but the machine, its empty caches and folders that cannot be written.
"""

import re

import matplotlib.font_manager  # noqa: F401  finds fonts and a folder to list them in, once for all notebooks
from myst_nb.core.render import NbElementRenderer
from sphinx.application import Sphinx

HARMLESS = re.compile(
    r"""^(
      Matplotlib\ is\ building\ the\ font\ cache;\ this\ may\ take\ a\ moment\.
    | Matplotlib\ created\ a\ temporary\ cache\ directory\ at\ .*
    | mkdir\ -p\ failed\ for\ path\ .*
    | \S+\ is\ not\ a\ writable\ directory
    | \S+:\ UserWarning:\ IPython\ (parent|dir)\ .*\ is\ not\ a\ writable\ location,\ using\ a\ temp\ directory\.\n\ .*
    | \S+:\ NumbaWarning:\ The\ TBB\ threading\ layer\ requires\ TBB\ version\ .*\n\ .*
    | \S+:\ UserWarning:\ (CUDA\ initialization:|Can't\ initialize\ NVML).*\n\ .*
    | \[W\S*\ .*NNPACK\.cpp:\d+\]\ Could\ not\ initialize\ NNPACK!\ .*
    | Runs,\ results\ and\ images\ are\ kept\ in\ .*;\ LSNOTEBOOK_DATA\ can\ name\ another\ place\.
    )$\n?""",
    re.MULTILINE | re.VERBOSE,
)
judge = NbElementRenderer.render_stderr


def render_stderr(renderer: NbElementRenderer, output: dict, *where: object) -> list:
    """Judge what is left of a cell's stderr without the harmless lines."""
    left = HARMLESS.sub("", output["text"])
    return judge(renderer, {**output, "text": left}, *where) if left.strip() else []


def setup(app: Sphinx) -> dict:
    NbElementRenderer.render_stderr = render_stderr
    return {"parallel_read_safe": True, "parallel_write_safe": True}
