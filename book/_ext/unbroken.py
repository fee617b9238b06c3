"""No line ends between a number and its unit, its spread or the other end of its interval: "95 %", "88.3 ± 2.4".

The spaces between them become no-break spaces, in prose, captions and what notebooks say; not in code or formulas.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

UNITS = "%|points?|ms|s|h|kWh|[kMG]i?B|hops?|nats?"
GAP = re.compile(rf"(?<=\d)\s(?=(?:{UNITS})(?!\w))|(?<=\d)\s(?=±\s\d)|(?<=\d\s±)\s(?=\d)|(?<=\d,)\s(?=[−\d.]+\])")
KEPT = nodes.literal, nodes.FixedTextElement, nodes.math, nodes.math_block, nodes.raw


def unbroken(text: str) -> str:
    return GAP.sub("\u00a0", text)


class Unbroken(SphinxPostTransform):
    default_priority = 900

    def run(self, **options: object) -> None:
        for text in list(self.document.findall(nodes.Text)):
            if not isinstance(text.parent, KEPT) and GAP.search(text):
                text.parent.replace(text, nodes.Text(unbroken(text)))


def setup(app: Sphinx) -> dict:
    app.add_post_transform(Unbroken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
