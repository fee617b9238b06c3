"""Formulas as MathML, which browsers set by themselves: MathJax would come from another host.

They need a font that says how formulas are set (a MATH table), without which indices stand wrong. It is STIX Two Math,
under the SIL Open Font License, from the package ziamath, with the characters of formulas only.
"""

import re
from importlib.metadata import distribution
from pathlib import Path

from docutils import nodes
from fontTools import subset
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

FONT = distribution("ziamath").locate_file("ziamath/fonts/STIXTwoMath-Regular.ttf")
CHARACTERS = [  # ASCII, Greek, punctuation and primes, letterlike, arrows, operators; letters in italics
    *range(0x20, 0x7F), *range(0x391, 0x3CA), *range(0x2010, 0x2060), *range(0x2100, 0x2140), *range(0x2190, 0x21E0),
    *range(0x2200, 0x22D0), *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), 0xAC, 0xB1, 0xB7, 0xD7, 0xF7,
]  # fmt: skip


PRIMES = re.compile(r"<msup>(<mi>\w</mi>)<mi>(&#x0203[234];)</mi></msup>")
NAMES = re.compile(r"<mo>(\w{2,})</mo>")


def mathml(node: nodes.math | nodes.math_block, display: str) -> str:
    """A prime is raised by its own shape, not as an exponent too; a function's name stands close to its bracket."""
    found = convert(node.astext(), display=display)
    found = PRIMES.sub(r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>', found)
    return NAMES.sub(r"<mi>\1</mi>", found)


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def block(translator: HTML5Translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(mathml(node, "block") + "</div>\n")
    raise nodes.SkipNode


def write_font(app: Sphinx, error: Exception | None) -> None:
    """Beside the style sheet that names it. All of the font's own names stay, its licence among them."""
    if error or app.builder.format != "html":
        return
    options = subset.Options(flavor="woff2", layout_features=["ssty"], name_IDs=["*"], hinting=False)
    font = subset.load_font(str(FONT), options)
    characters = subset.Subsetter(options)
    characters.populate(unicodes=CHARACTERS)
    characters.subset(font)
    subset.save_font(font, str(Path(app.outdir) / "_static" / "stix-two-math.woff2"), options)


def setup(app: Sphinx) -> dict:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("build-finished", write_font)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
