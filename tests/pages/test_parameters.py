"""Parameters of a notebook: names, types and values, with one sentence for each mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.pages.parameters import ParameterError, Takes, defaults, injected, line, literal, parsed

LAYERS = range(1, 13)


@given(st.sampled_from(LAYERS))
def test_a_number_in_range_passes_as_number_and_as_text(number):
    assert parsed("layers", number, LAYERS) == parsed("layers", str(number), LAYERS) == number


@given(st.lists(st.sampled_from(LAYERS), min_size=1))
def test_a_list_passes_as_list_and_as_text_and_one_number_becomes_a_list(numbers):
    assert parsed("layers", numbers, [LAYERS]) == parsed("layers", str(numbers), [LAYERS]) == numbers
    assert parsed("layers", numbers[0], [LAYERS]) == [numbers[0]]


@given(st.one_of(st.integers(max_value=0), st.integers(min_value=13), st.floats(), st.booleans(), st.text(), st.none()))
def test_anything_else_is_refused_with_one_sentence(value):
    if isinstance(value, str) and isinstance(literal(value), int | list | tuple):  # such as "7", but also "7# a text"
        return
    for choices in (LAYERS, [LAYERS]):
        with pytest.raises(ParameterError) as caught:
            parsed("layers", value, choices)
        assert "a whole number from 1 to 12" in str(caught.value)
        assert repr(value) in str(caught.value)


def test_an_empty_list_is_refused():
    with pytest.raises(ParameterError, match="takes a whole number"):
        parsed("layers", "[]", [LAYERS])


def test_a_choice_close_to_a_name_is_suggested():
    with pytest.raises(ParameterError) as caught:
        parsed("profile", "digit", ["smoke", "digits"])
    expected = "The parameter 'profile' is 'digit', but it takes one of smoke, digits; did you mean 'digits'?"
    assert str(caught.value) == expected


@pytest.mark.parametrize("value", [["smoke"], {"smoke": 1}, 3, None, ("smoke",), {"smoke"}])
def test_what_is_no_text_is_no_name(value):
    with pytest.raises(ParameterError) as caught:
        parsed("profile", value, {"smoke": 1, "digits": 2})
    assert str(caught.value).startswith(f"The parameter 'profile' is {value!r}, but it takes one of smoke, digits")


@pytest.mark.parametrize("text", ["{[]: 1}", "{1, 2}", "(" * 10_000, "1\0", "[1, [2]]", "{'a': 1}"])
def test_a_text_of_something_else_is_no_number(text):
    for choices in (LAYERS, [LAYERS]):
        with pytest.raises(ParameterError, match="takes a whole number"):
            parsed("layers", text, choices)


@pytest.mark.parametrize("nothing", [None, "None"])
def test_none_stands_for_the_default_where_there_is_one(nothing):
    assert parsed("layers", nothing, Takes(LAYERS, 7)) == 7
    assert parsed("layers", nothing, Takes([LAYERS], [1, 2])) == [1, 2]
    assert parsed("layers", 3, Takes(LAYERS, 7)) == parsed("layers", "3", Takes(LAYERS, 7)) == 3
    with pytest.raises(ParameterError, match="'layers' is 13, but"):
        parsed("layers", 13, Takes(LAYERS, 7))


def test_names_come_from_the_injected_cell_alone():
    cells = ["", "profile: str = 'digits'", "# Parameters\nprofile = 'smoke'\nseds = 3\n", "other = 1"]
    assert injected(cells) == ["profile", "seds"]
    assert injected(cells[:2]) == []


def test_a_notebook_shows_the_sentence_alone():
    assert ParameterError("Only this.")._render_traceback_() == ["ParameterError: Only this."]


def test_a_changed_parameter_is_told_with_the_headings_that_it_concerns():
    places = {"Table 1, rebuilt": ["layers"], "More": ["layers", "keep"]}
    told = line("layers", [3, 6], [6], places)
    assert told == "- `layers`: 3, 6 → **6**; look at [Table 1, rebuilt](#Table-1,-rebuilt) and [More](#More)."
    assert line("seeds", 5, 2, places) == "- `seeds`: 5 → **2**; look at all that follows."
    assert line("payoff", [], [[1, 2], [3, 4]], places).startswith("- `payoff`: [] → **[[1, 2], [3, 4]]**;")


def test_a_word_that_yaml_takes_for_a_truth_is_that_word():
    assert [parsed("feedback", value, ["on", "off"]) for value in (True, False, "on")] == ["on", "off", "on"]
    with pytest.raises(ParameterError, match="is True, but it takes one of sdpa, eager"):
        parsed("attention", True, ["sdpa", "eager"])


def test_defaults_are_those_of_the_cell_before_papermills():
    cells = [
        "",
        "a = 1",
        "profile: str = 'digits'  # the scale\nseeds: int = None",
        "# Parameters\nseeds = 3\n",
        "b: int = 2",
    ]
    assert defaults(cells) == {"profile": "digits", "seeds": None}
    assert defaults(cells[:3]) == {} == defaults([])


def test_a_function_may_check_a_value_or_refuse_it_in_its_own_sentence():
    def even(value):
        if value % 2:
            raise LsnotebookError(f"{value} is odd: take an even number.")
        return value

    assert parsed("number", "4", Takes(even, 2)) == 4 and parsed("number", None, Takes(even, 2)) == 2
    with pytest.raises(
        ParameterError, match=r"^The parameter 'number' cannot be taken: 3 is odd: take an even number.$"
    ):
        parsed("number", 3, Takes(even, 2))
