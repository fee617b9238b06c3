"""Tables of pages: their data are one click away, and intervals stand below their means."""

import base64
import io
import re

import numpy as np
import pandas as pd

from lsnotebook.core.statistics import crossed
from lsnotebook.pages import tables


def test_data_are_one_click_away_and_need_no_server():
    table = pd.DataFrame({"approach": ["baseline"], "top1": [0.125]})
    link = re.search(r'href="data:text/csv;base64,([^"]*)"', tables.footnote("made", table))[1]
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(base64.b64decode(link))), table)
    several = re.search(r'base64,([^"]*)"', tables.footnote("made", {"paper": table, "build": table}))[1]
    assert pd.read_csv(io.BytesIO(base64.b64decode(several)))["source"].tolist() == ["paper", "build"]


def test_intervals_stand_below_their_means():
    assert "14.3<br><small>[14.0, 14.6]</small>" in tables.table(pd.DataFrame({"share": ["14.3 [14.0, 14.6]"]})).data


def test_a_mean_stands_with_its_interval_where_it_has_one():
    values = np.array([[0.1, 0.2, 0.3], [0.2, 0.3, 0.2], [0.2, 0.5, 0.25]])
    low, high = (100 * bound for bound in crossed(values, (0, 1))[1:])
    assert tables.mean_and_interval(values, (0, 1)) == f"25.0 [{low:.1f},\u00a0{high:.1f}]"
    assert tables.mean_and_interval(np.full(5, 0.25)) == "25.0", "no spread is no certainty"
    assert tables.mean_and_interval(np.array([0.25])) == "25.0"


def test_a_table_without_rows_says_so():
    html = tables.table(pd.DataFrame(), "from nothing").data
    assert "None." in html and "from nothing" in html and "<table" not in html and "CSV" not in html


def test_numbers_have_one_form_with_true_minus_signs():
    assert tables.percent(0.175) == "17.5\u00a0%" and tables.percent(0.125, 0) == "12\u00a0%"
    assert tables.as_text(-3.04, -4.0, 1.0, " points") == "−3.0 points [−4.0,\u00a01.0]"
    assert tables.as_text(-0.04, -0.01, 0.1) == "0.0 [0.0,\u00a00.1]"
    assert tables.as_text(7.0, None, None, " %") == "7.0 %" and tables.as_text(np.nan, 1.0, 2.0) == "–"
    assert tables.signed("between -5 and 5, arXiv 2407-04513, a-1") == "between −5 and 5, arXiv 2407-04513, a-1"
    assert "<td>−1.50</td>" in tables.table(pd.DataFrame({"points": [-1.5]})).data
    share = tables.table(pd.DataFrame({"share": ["14.3 % [14.0, 14.6]"]})).data
    assert "14.3 %<br><small>[14.0, 14.6]</small>" in share


def test_two_rounded_numbers_differ_by_their_rounded_difference():
    assert tables.adding_up(94.0, 74.0) == 1
    assert tables.adding_up(0.96, 0.44) == 2, "1.0 and 0.4 are 0.6 apart, and these 0.5"
    assert tables.adding_up(1 / 3, 2 / 30) == 2, "no number of thirds does"
