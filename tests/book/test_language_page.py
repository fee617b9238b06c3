"""The chapter on language models, run in this process at its smallest scale."""

from pathlib import Path

import nbformat

from lsnotebook.sortednet import language_views
from lsnotebook.sortednet.language_runs import SMOKE, Decoder

PAGE = Path(__file__).parents[2] / "book" / "12_sorted_language.ipynb"


def test_the_page_shows_what_the_library_computes(shell, capsys):
    shown = {}
    for cell in nbformat.read(PAGE, 4).cells[1:]:
        if cell.cell_type == "code":
            result = shell.run_cell(cell.source, store_history=True)
            assert result.success, cell.id
            shown[cell.id] = getattr(result.result, "data", "")
            if cell.id == "given":
                own = "# Parameters\nprofile='language-smoke'\nprompts=2\nnew=8\ndrafts='[1, 2]'\nahead=3"
                assert shell.run_cell(own, store_history=True).success
    depths, speculated = shell.user_ns["depths"], shell.user_ns["speculated"]
    assert len(depths) == 2 * SMOKE.seeds * SMOKE.layers and set(speculated["draft"]) == {0, 1, 2}
    for text in language_views.by_depth(depths).to_numpy().ravel():
        assert text.replace(" [", "<br><small>[").replace("]", "]</small>") in shown["table-loss"] or "[" not in text
    assert shown["same-told"] == language_views.same(speculated) and "8 texts" in shown["same-told"]
    assert "-p drafts '[1, 2]' -p prompts 2 -p new 8 -p ahead 3" in shell.user_ns["origin"]
    assert all(Decoder(SMOKE, kind, 1).is_there for kind in ("ordinary", "sorted"))
