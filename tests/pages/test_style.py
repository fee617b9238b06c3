"""Figures are drawn in the page's own ink."""

import re

import pandas as pd

from lsnotebook.layershuffle import figures
from lsnotebook.pages.style import INK, themed


def test_themed_svg_has_the_pages_ink_and_a_text_for_those_who_cannot_see_it():
    accuracies = pd.DataFrame({"approach": "baseline", "seed": [0, 1], "draw": 0, "order": "0", "top1": [0.3, 0.5]})
    html = themed(figures.by_order(accuracies, 0.1), 'Accuracy of "two"', "Again: papermill").data
    assert INK not in html
    assert "currentColor" in html
    assert 'aria-label="Accuracy of &quot;two&quot;"' in html
    assert re.search(r'<div class="themed made"><details><summary>.*</summary>Again: papermill</details></div>$', html)
