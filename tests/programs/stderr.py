"""A page that finds what a machine lacks, and one line on stderr about it; with a second line, a warning of its own."""

import sys
from pathlib import Path

import matplotlib

assert list(Path(matplotlib.get_cachedir()).glob("fontlist*")), "the fonts were not listed before"
print("Matplotlib is building the font cache; this may take a moment.", file=sys.stderr)
if Path("warn").exists():
    print("a warning", file=sys.stderr)
