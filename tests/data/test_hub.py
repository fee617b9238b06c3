"""Checkpoints of the hub: what cannot be fetched says why, and what to do."""

import httpx
import pytest
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError

from lsnotebook.data.checkpoints import folder_of
from lsnotebook.data.splits import DataError

ANSWER = httpx.Response(404, request=httpx.Request("GET", "http://hub"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (LocalEntryNotFoundError("offline"), "could not be fetched .*data/checkpoints/someone/vit"),
        (RepositoryNotFoundError("404", response=ANSWER), "is neither a folder nor on the hub, or is private"),
        (GatedRepoError("403", response=ANSWER), "needs its owner's permission"),
    ],
)
def test_what_is_out_of_reach_says_why(store, monkeypatch, error, sentence):
    def fails(name, **options):
        raise error

    monkeypatch.setattr("lsnotebook.data.hub.snapshot_download", fails)
    with pytest.raises(DataError, match=f"'someone/vit' {sentence}" if "could" not in sentence else sentence):
        folder_of("someone/vit")


def test_only_json_and_safetensors_are_fetched(store, monkeypatch, tmp_path):
    asked = {}
    monkeypatch.setattr(
        "lsnotebook.data.hub.snapshot_download", lambda name, **options: asked.update(options) or tmp_path
    )
    assert folder_of("someone/vit") == tmp_path
    assert asked["allow_patterns"] == ["*.json", "*.safetensors"]


def test_a_path_that_is_no_folder_is_not_asked_of_the_hub(store):
    with pytest.raises(DataError, match=r"'\./no/such' is no folder, nor a name of the hub"):
        folder_of("./no/such")
