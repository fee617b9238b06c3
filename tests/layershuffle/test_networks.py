"""Networks from public checkpoints: the same model in sequence, in float32, with a new head for other classes."""

import dataclasses

import pytest
import torch
from PIL import Image
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
    ViTModel,
)

from lsnotebook.core.orders import arbitrary
from lsnotebook.core.seeding import seeded
from lsnotebook.data.checkpoints import folder_of
from lsnotebook.data.loading import prepared
from lsnotebook.data.splits import DataError
from lsnotebook.engine import runs
from lsnotebook.engine.run import study
from lsnotebook.layershuffle.approaches import BASELINE, LAYERSHUFFLE, POSITION, PREDICT
from lsnotebook.layershuffle.checkpoints import CheckpointError
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.networks import initial
from lsnotebook.layershuffle.profiles import IMAGENET, SMOKE

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "image_size": 16,
    "patch_size": 4,
    "initializer_range": 0.2,
}
BACKBONE = dataclasses.replace(
    SMOKE.backbone, hidden_size=32, layers=4, heads=4, mlp_size=48, image_size=16, patch_size=4, channels=3
)


@pytest.fixture(
    params=[(ViTForImageClassification, ViTConfig), (DeiTForImageClassification, DeiTConfig)], ids=["ViT", "DeiT"]
)
def stock(request):
    kind, config = request.param
    return kind(config(**SIZES, num_labels=7)).eval()


def logged(caplog):
    return [record.message for record in caplog.records if record.name.startswith("lsnotebook")]


def profile(checkpoint, classes=7, **sizes):
    backbone = dataclasses.replace(BACKBONE, checkpoint=str(checkpoint), **sizes)
    return dataclasses.replace(SMOKE, images=dataclasses.replace(SMOKE.images, classes=classes), backbone=backbone)


def begun(profile, approach=LAYERSHUFFLE):
    """The network of a profile that names a checkpoint, before its first step."""
    with seeded(0, "initialisation"):
        return initial(profile, approach, None, folder_of(profile.backbone.checkpoint))


def image_mean(profile):
    """The mean that images are scaled with for the checkpoint."""
    return prepared(lambda k: None, [], [], profile.backbone).processor.image_mean


@pytest.mark.parametrize("shards", ["1GB", "20KB"], ids=["one file", "sharded"])
def test_a_stock_checkpoint_is_the_same_model_in_sequence(stock, tmp_path, shards):
    stock.save_pretrained(tmp_path, max_shard_size=shards)
    model = begun(profile(tmp_path)).eval()
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(model(images).logits, stock(images).logits)
    assert not torch.equal(model(images, order=[3, 1, 0, 2]).logits, stock(images).logits)
    model.save_pretrained(tmp_path / "again")
    again = ShuffleViT.from_pretrained(tmp_path / "again")
    assert torch.equal(again(images, order=[2, 2]).logits, model(images, order=[2, 2]).logits)


def test_the_head_starts_anew_for_other_classes_alone_and_this_is_logged(stock, tmp_path, caplog):
    caplog.set_level("INFO", logger="lsnotebook")
    stock.save_pretrained(tmp_path)
    same = begun(profile(tmp_path), PREDICT)
    assert torch.equal(same.classifier.weight, stock.classifier.weight) and not logged(caplog)
    other = begun(profile(tmp_path, classes=5))
    assert other.classifier.weight.shape == (5, 32)
    assert logged(caplog) == [f"The checkpoint {tmp_path} has no head for 5 classes: the head starts anew."]
    layer = stock.base_model.layers[2].mlp.fc1.weight
    assert torch.equal(other.vit.layers[2].mlp.fc1.weight, layer)


def test_a_checkpoint_without_a_head_gets_one(tmp_path, caplog):
    caplog.set_level("INFO", logger="lsnotebook")
    ViTModel(ViTConfig(**SIZES)).save_pretrained(tmp_path)
    assert begun(profile(tmp_path), BASELINE).classifier.weight.shape == (7, 32)
    assert len(logged(caplog)) == 1


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"layers": 12}, "has layers 4, but the profile says 12"),
        ({"image_size": 32}, "has image_size 16, but the profile says 32"),
        ({"hidden_size": 64}, "has hidden_size 32, but the profile says 64"),
    ],
)
def test_a_checkpoint_of_another_size_is_refused(stock, tmp_path, sizes, sentence):
    stock.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=sentence):
        begun(profile(tmp_path, **sizes))


def test_a_checkpoint_out_of_reach_is_named_and_a_local_one_of_its_name_is_taken(store, stock, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError, match=r"'someone/vit' is no folder and could not be fetched .*checkpoints/someone/vit"
    ):
        begun(profile("someone/vit"))
    with pytest.raises(DataError, match="someone/vit"):
        image_mean(profile("someone/vit"))
    stock.save_pretrained(store / "checkpoints" / "someone" / "vit")
    ViTImageProcessor(size={"height": 16, "width": 16}, image_mean=[0.1] * 3).save_pretrained(
        store / "checkpoints" / "someone" / "vit"
    )
    model = begun(profile("someone/vit"))
    assert torch.equal(model.classifier.weight, stock.classifier.weight)
    assert image_mean(profile("someone/vit")) == (0.1, 0.1, 0.1)


def test_a_checkpoint_of_the_hub_is_fetched_and_loaded_in_silence(stock, tmp_path, monkeypatch, capfd):
    stock.save_pretrained(tmp_path / "kept")
    capfd.readouterr()
    fetch = {"someone/vit": tmp_path / "kept"}.__getitem__
    monkeypatch.setattr("lsnotebook.data.hub.snapshot_download", lambda name, **_: fetch(name))
    model = begun(profile("someone/vit", classes=5), POSITION)
    assert torch.equal(model.vit.layers[2].mlp.fc1.weight, stock.base_model.layers[2].mlp.fc1.weight)
    assert image_mean(profile("someone/vit")) == (0.5,) * 3, "it has none of its own"
    assert capfd.readouterr() == ("", ""), "bars and reports would stand in the pages"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_that_will_be_trained_is_in_float32(stock, tmp_path, dtype):
    stock.to(dtype).save_pretrained(tmp_path)
    model = begun(profile(tmp_path), POSITION)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert torch.equal(model.classifier.weight, stock.classifier.weight.float())


@pytest.mark.parametrize("classes", [7, 5])
def test_the_two_heads_of_a_distilled_checkpoint_are_never_replaced_without_a_word(tmp_path, caplog, classes):
    caplog.set_level("INFO", logger="lsnotebook")
    DeiTForImageClassificationWithTeacher(DeiTConfig(**SIZES, num_labels=7)).save_pretrained(tmp_path)
    if classes == 7:
        with pytest.raises(CheckpointError, match=r"the mean of two heads \(cls_classifier.*not distilled"):
            begun(profile(tmp_path))
    else:
        assert begun(profile(tmp_path, classes=5)).classifier.weight.shape == (5, 32)
        assert logged(caplog) == [f"The checkpoint {tmp_path} has no head for 5 classes: the head starts anew."]


def test_sizes_may_be_given_for_both_sides(tmp_path):
    both = ViTConfig(**{**SIZES, "image_size": [16, 16], "patch_size": [4, 4]}, num_labels=7)
    ViTForImageClassification(both).save_pretrained(tmp_path)
    begun(profile(tmp_path))
    oblong = ViTConfig(**{**SIZES, "image_size": [16, 24]}, num_labels=7)
    ViTForImageClassification(oblong).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"has image_size \[16, 24\], but the profile says 16"):
        begun(profile(tmp_path))


def test_a_study_on_image_folders_and_a_public_checkpoint(store, stock):
    """As `imagenet` and `cifar100` are, only smaller: no base of its own, JPEG files, the checkpoint's processor."""
    for part in ("train", "val"):
        for label in range(7):
            (store / "mine" / part / f"n{label}").mkdir(parents=True)
            for k in range(4):
                picture = Image.effect_noise((20, 18), 10 * label + 1).convert("RGB")
                picture.save(store / "mine" / part / f"n{label}" / f"{k}.JPEG")
    stock.save_pretrained(store / "checkpoints" / "someone" / "vit")
    ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(store / "checkpoints" / "someone" / "vit")
    schedule = dataclasses.replace(IMAGENET.refine, steps=4, batch_size=14, check_every=2)
    public = dataclasses.replace(
        profile("someone/vit"),
        images=dataclasses.replace(IMAGENET.images, name="mine", classes=7),
        refine=schedule,
        pretrain=None,
    )
    models = study(public, [BASELINE, POSITION], 1)
    found = accuracies(models, arbitrary, 3)
    assert len(found) == 6 and found["top1"].between(0, 1).all()
    assert runs.status(models)["step"].tolist() == ["4 of 4", "4 of 4"]
    assert runs.initial(models[0]).config.distilled == (stock.config.model_type == "deit")
