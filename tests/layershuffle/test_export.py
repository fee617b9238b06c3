"""Exported networks: read by ShuffleViT and by the stock class, prepared for as in training, and described."""

import contextlib
import dataclasses
import io
import json
import re

import pytest
import torch
import yaml
from click.testing import CliRunner
from PIL import Image
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    DeiTConfig,
    DeiTForImageClassification,
    ViTForImageClassification,
    ViTImageProcessor,
)

from lsnotebook.cli import main
from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import runs
from lsnotebook.engine.run import Run
from lsnotebook.layershuffle import approaches
from lsnotebook.layershuffle.export import ExportError, export, stock
from lsnotebook.layershuffle.measurements import accuracies
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.profiles import IMAGENET, SMOKE


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text().split("---")[1])


def ran(folder, picture, monkeypatch):
    """What the code of the card prints in its folder, with an image there."""
    picture.save(folder / "image.png")
    monkeypatch.chdir(folder)
    (code,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    return printed.getvalue().strip()


@pytest.mark.parametrize("approach", [approaches.LAYERSHUFFLE, approaches.POSITION, approaches.PREDICT])
def test_an_exported_network_is_the_trained_one(tmp_path, images, monkeypatch, approach):
    run = Run(SMOKE, approach, 1)
    result = CliRunner().invoke(main, ["export", "smoke", approach.name, "--seed", "1", str(tmp_path / "new" / "one")])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'new' / 'one'}\n" and f"training {run}" in result.stderr
    folder, trained = tmp_path / "new" / "one", runs.load(run)
    assert [path.name for path in folder.parent.iterdir()] == ["one"]
    assert all(path.stat().st_mode & 0o044 for path in folder.iterdir()), "others may read it"
    again = ShuffleViT.from_pretrained(folder)
    assert torch.equal(again(images, order=[3, 0, 1]).logits, trained(images, order=[3, 0, 1]).logits)
    assert again.config.id2label == {k: str(k) for k in range(10)}

    kinds = (ViTForImageClassification, AutoModelForImageClassification)
    if approach is approaches.POSITION:
        for kind in kinds:
            with pytest.raises((OSError, ValueError)):
                kind.from_pretrained(folder)
    else:
        for kind in kinds:
            assert torch.equal(kind.from_pretrained(folder)(images).logits, trained(images).logits)

    card, found = (
        (folder / "README.md").read_text(),
        accuracies([run], (sequential, arbitrary)).groupby("policy")["top1"],
    )
    assert f"| in sequence | {100 * found.mean()['sequential']:.1f} % | | 1 |" in card
    assert f"| arbitrary | {100 * found.mean()['arbitrary']:.1f} % |" in card and f"| {SMOKE.orders} |" in card
    assert "on 100 validation images of `digits`: it was not trained on them, nor" in card and run.key in card
    facts = front_matter(folder)
    assert facts["library_name"] == "transformers" and facts["pipeline_tag"] == "image-classification"
    assert "license" not in facts and "base_model" not in facts
    assert ran(folder, Image.effect_noise((8, 8), 50), monkeypatch) in map(str, range(10))


def test_an_exported_deit_prepares_images_as_in_training(store, tmp_path, monkeypatch):
    sizes = {"hidden_size": 32, "intermediate_size": 48, "image_size": 16, "patch_size": 4, "num_labels": 3}
    sizes |= {"num_hidden_layers": 2, "num_attention_heads": 4}
    checkpoint = store / "checkpoints" / "someone" / "deit"
    DeiTForImageClassification(DeiTConfig(**sizes)).half().save_pretrained(checkpoint)
    ViTImageProcessor(size={"height": 16, "width": 16}, image_mean=[0.1] * 3).save_pretrained(checkpoint)
    for part in ("train", "val"):
        for name in ("ant", "bee"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k in range(3):
                mode = ("RGB", "L", "RGB")[k]
                Image.effect_noise((20, 18), 50).convert(mode).save(store / "mine" / part / name / f"{k}.png")
    profile = dataclasses.replace(
        SMOKE,
        name="mine.toml",
        images=dataclasses.replace(IMAGENET.images, name="mine", classes=2),
        backbone=dataclasses.replace(
            SMOKE.backbone, checkpoint="someone/deit", layers=2, mlp_size=48, image_size=16, channels=3
        ),
        pretrain=None,
        refine=dataclasses.replace(SMOKE.refine, steps=2, check_every=1, batch_size=3),
    )
    run = Run(profile, approaches.LAYERSHUFFLE, 0)
    (tmp_path / "there").mkdir()
    folder = export(run, tmp_path / "there")
    validation = runs.splits_of(run).validation
    prepares = AutoImageProcessor.from_pretrained(folder)
    for path, (trained_on, label) in zip(sorted((store / "mine" / "val").glob("*/*.png")), validation, strict=True):
        (pixels,) = prepares(Image.open(path), return_tensors="pt")["pixel_values"]
        assert torch.equal(pixels, trained_on) and ("ant", "bee")[label] == path.parent.name
    theirs, ours = (kind.from_pretrained(folder) for kind in (DeiTForImageClassification, ShuffleViT))
    assert theirs.config.id2label == ours.config.id2label == {0: "ant", 1: "bee"}
    assert torch.equal(theirs(pixels[None]).logits, ours(pixels[None]).logits)
    assert torch.equal(stock(ours)(pixels[None]).logits, ours(pixels[None]).logits)
    assert torch.equal(ours(pixels[None], order=[1, 0]).logits, runs.load(run)(pixels[None], order=[1, 0]).logits)
    assert front_matter(folder)["base_model"] == "someone/deit"
    assert "but they chose its weights" in (folder / "README.md").read_text()
    assert ran(folder, Image.open(path), monkeypatch) in ("ant", "bee")


def test_the_stock_class_has_the_same_weights(images):
    model = ShuffleViT(runs.initial(Run(SMOKE, approaches.BASELINE, 0)).config).eval()
    assert isinstance(stock(model), ViTForImageClassification)
    assert torch.equal(stock(model)(images).logits, model(images).logits)


def test_nothing_is_overwritten_and_nothing_half_written_is_left(tmp_path, monkeypatch):
    run = Run(SMOKE, approaches.BASE, 0)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("all of it")
    (tmp_path / "file").write_text("")
    for name in ("full", "file"):
        with pytest.raises(ExportError, match=f"{name} exists and is not an empty folder; name a new one"):
            export(run, tmp_path / name)
    assert not run.folder.exists(), "said before anything is trained"
    with pytest.raises(ExportError, match=r"below cannot be written \(File exists\); name another folder"):
        export(run, tmp_path / "file" / "below")

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lsnotebook.layershuffle.export.as_the_stock_class", stopped)
    with pytest.raises(KeyboardInterrupt):
        export(run, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "file", "full"]
    assert json.loads((run.folder / "config.json").read_text()), "the network is kept"
