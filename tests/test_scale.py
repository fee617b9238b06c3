"""Paper scale, as far as two cores can tell: several processes, compiled layers, batches in parts, real checkpoints."""

import dataclasses
import os
import resource
import socket
import subprocess
import sys
import weakref
from types import SimpleNamespace

import pytest
import torch
from accelerate import FullyShardedDataParallelPlugin
from accelerate.utils import DistributedType
from accelerate.utils.fsdp_utils import fsdp2_prepare_auto_wrap_policy
from safetensors.torch import load_file
from torch.utils.data import Subset
from transformers import (
    DeiTConfig,
    DeiTForImageClassification,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
    ViTModel,
)

from lsnotebook import data, runs, training
from lsnotebook.data import DataError
from lsnotebook.model import ShuffleViT
from lsnotebook.profiles import APPROACHES, PLAIN, PROFILES, Machine
from lsnotebook.runs import Run
from lsnotebook.training import TrainingError

SMOKE = PROFILES["smoke"]
SCHEDULE = dataclasses.replace(SMOKE.refine, steps=12, check_every=6)


@pytest.fixture(scope="module")
def splits():
    return data.load(SMOKE.data, SMOKE.backbone)


def trained(splits, folder, machine=PLAIN, policy="arbitrary", schedule=SCHEDULE, **options):
    folder.mkdir()
    model = training.initial(SMOKE, APPROACHES["layershuffle-position"], 0)
    training.train(model, splits, schedule, policy, 0, folder, machine=machine, **options)
    return model.state_dict()


def far(weights, others):
    assert weights.keys() == others.keys()
    return max((weights[name] - others[name]).abs().max().item() for name in weights)


# --- one process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", [Machine(accumulate=3), Machine(accumulate=32), Machine(recompute=True)], ids=str)
def test_short_of_memory_the_same_is_learned(splits, tmp_path, machine):
    whole = trained(splits, tmp_path / "whole")
    assert far(trained(splits, tmp_path / "parts", machine), whole) < 1e-4
    assert far(training.initial(SMOKE, APPROACHES["layershuffle-position"], 0).state_dict(), whole) > 1e-3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_compiled_layer_by_layer_the_same_is_learned_and_saved_under_the_same_names(splits, tmp_path):
    compiled = trained(splits, tmp_path / "compiled", Machine(compile=True))
    assert far(compiled, trained(splits, tmp_path / "whole")) < 1e-4
    assert not any("_orig_mod" in name for name in compiled)


def test_how_a_machine_does_it_is_no_part_of_the_recipe():
    other = dataclasses.replace(SMOKE, machine=Machine(4, True, True, 8, True))
    assert Run(other, "layershuffle", 0).key == Run(SMOKE, "layershuffle", 0).key


def test_out_of_memory_names_the_batch_that_would_fit(splits, tmp_path, monkeypatch):
    forward = ShuffleViT.forward

    failed = []

    def small(model, pixel_values, **options):
        if len(pixel_values) <= 8:
            assert all(kept() is None for kept in failed), "what a pass kept is let go of before the next is tried"
        else:
            activations = torch.zeros(3)
            failed.append(weakref.ref(activations))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(model, pixel_values, **options)

    monkeypatch.setattr(ShuffleViT, "forward", small)
    with pytest.raises(TrainingError, match=r"32 images at a time do not fit .* but 8 do: train with --accumulate 4"):
        trained(splits, tmp_path / "large")
    monkeypatch.setattr(ShuffleViT, "forward", lambda *_, **__: small(None, range(9)))
    with pytest.raises(TrainingError, match="Not even one image fits"):
        trained(splits, tmp_path / "none")


def test_augmented_images_are_moved_and_mirrored_ones_and_depend_on_the_generator_alone():
    from lsnotebook.randomness import stream

    images = torch.rand(64, 3, 16, 16) + 1
    moved = data.augmented(images, stream(0, "augment", 0))
    assert torch.equal(moved, data.augmented(images, stream(0, "augment", 0)))
    assert not torch.equal(moved, data.augmented(images, stream(0, "augment", 1)))
    padded = torch.nn.functional.pad(images, [2] * 4)
    for image, whole in zip(moved, padded, strict=True):
        windows = [whole[:, y : y + 16, x : x + 16] for y in range(5) for x in range(5)]
        assert any(torch.equal(image, w) or torch.equal(image.flip(-1), w) for w in windows)


# --- several processes -----------------------------------------------------------------------------------------------


def launch(store, *words, processes=2):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={port}"]
    environment = {**os.environ, "LSNOTEBOOK_DATA": str(store)}
    return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(store, tmp_path, monkeypatch):
    """Also with dropped layers, whose gradients DDP would otherwise leave unequal without a word."""
    approaches = ["layershuffle", "layerdrop", "layershuffle-predict"]
    both = tmp_path / "both"
    launched = launch(both, "-m", "lsnotebook", "train", "smoke", *approaches, "--seed", "0")
    assert launched.returncode == 0, launched.stderr
    assert launched.stdout.count("3 runs of smoke are in the store") == 1, "one rank speaks"
    wanted = [Run(SMOKE, approach, 0) for approach in approaches]
    runs.ensure(wanted, workers=1)
    for run in [Run(SMOKE, "base", 0), *wanted]:
        alone = load_file(run.folder / "model.safetensors")
        with monkeypatch.context() as patch:
            patch.setenv("LSNOTEBOOK_DATA", str(both))
            assert far(load_file(run.folder / "model.safetensors"), alone) < 1e-3, run
            assert not run.unfinished.exists()


@pytest.mark.slow
def test_a_run_that_two_processes_began_is_finished_by_one(store, tmp_path, monkeypatch):
    """Its state is one file, whatever the number of processes."""
    base = Run(SMOKE, "base", 0)
    script = tmp_path / "dying.py"
    script.write_text(
        "import os\nfrom lsnotebook import runs, training\nfrom lsnotebook.profiles import PROFILES\n"
        "rate = training.learning_rate\n"
        "training.learning_rate = lambda schedule, step: os._exit(9) if step == 33 else rate(schedule, step)\n"
        "runs.train(runs.Run(PROFILES['smoke'], 'base', 0))\n"
    )
    both = tmp_path / "both"
    assert launch(both, str(script)).returncode
    runs.ensure([base])
    alone = load_file(base.folder / "model.safetensors")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(both))
    assert (base.unfinished / training.STATE).exists() and not base.folder.exists()
    runs.ensure([base])
    assert far(load_file(base.folder / "model.safetensors"), alone) < 1e-3


def test_a_batch_that_cannot_be_split_evenly_is_told(splits, tmp_path, monkeypatch):
    monkeypatch.setattr("accelerate.Accelerator.num_processes", 3)
    with pytest.raises(TrainingError, match="A batch of 32 images cannot be split evenly over 3 processes"):
        trained(splits, tmp_path / "three")


SHARDED = """
import sys
from pathlib import Path
import torch
from torch.distributed.checkpoint.state_dict import get_model_state_dict, get_optimizer_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from lsnotebook import training
from lsnotebook.profiles import APPROACHES, PROFILES

mesh = init_device_mesh("cpu", (2,))
folder = Path(sys.argv[1])
images = torch.linspace(-1, 1, 8 * 64).view(8, 1, 8, 8)
labels = torch.arange(8)

def model(sharded):
    made = training.initial(PROFILES["smoke"], APPROACHES["layershuffle"], 0)
    if sharded:
        for layer in made.vit.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(made, mesh=mesh)
    return made, torch.optim.Adam(made.parameters(), lr=1e-3)

def steps(made, optimizer, orders):
    for order in orders:
        made(images, order=order, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

orders = [(2, 0, 3, 1), (3, 2, 1, 0), (1, 3, 0, 2), (0, 3, 2, 1)]
alone, optimizer = model(False)
steps(alone, optimizer, orders)

made, optimizer = model(True)
steps(made, optimizer, orders[:2])
weights = get_model_state_dict(made, options=training.WHOLE)
adam = get_optimizer_state_dict(made, optimizer, options=training.WHOLE)
if torch.distributed.get_rank() == 0:
    best = {name: weight.clone() for name, weight in weights.items()}
    training.write_state(folder, weights, adam["state"], [{"step": 2}], best)
torch.distributed.barrier()
made, optimizer = model(True)
history, best = training.read_state(folder, made, optimizer)
steps(made, optimizer, orders[2:])
weights = get_model_state_dict(made, options=training.WHOLE)
if torch.distributed.get_rank() == 0:
    far = max((weights[name] - weight).abs().max().item() for name, weight in alone.state_dict().items())
    print("history", history, "far", "little" if far < 1e-5 else far)
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_a_model_spread_over_two_processes_runs_in_any_order_and_is_taken_up_again(store, tmp_path):
    """FSDP: each layer is gathered from both when it runs, so that both must run the same order."""
    script = tmp_path / "sharded.py"
    script.write_text(SHARDED)
    launched = launch(store, str(script), str(tmp_path))
    assert "history [{'step': 2}] far little" in launched.stdout, launched.stdout + launched.stderr


@pytest.mark.parametrize(
    "variant", [{}, {"distilled": True}, {"encode_position": True}], ids=["ViT", "DeiT", "position"]
)
def test_accelerate_spreads_the_layers_each_by_itself(toy, variant):
    plugin = FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="transformer_based_wrap")
    model = toy(**variant)
    spread = fsdp2_prepare_auto_wrap_policy(plugin, model)
    assert [module for module in model.modules() if spread(module)] == list(model.vit.layers)


def test_the_first_version_of_fsdp_is_refused(monkeypatch):
    first = SimpleNamespace(distributed_type=DistributedType.FSDP, is_fsdp2=False)
    monkeypatch.setattr(training, "Accelerator", lambda **_: first)
    with pytest.raises(TrainingError, match="version 2"):
        training.accelerator_for(SCHEDULE, "arbitrary")


# --- checkpoints -----------------------------------------------------------------------------------------------------

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


def said(caplog):
    return [record.message for record in caplog.records if record.name.startswith("lsnotebook")]


def profile(checkpoint, classes=7, **sizes):
    backbone = dataclasses.replace(BACKBONE, checkpoint=str(checkpoint), **sizes)
    return dataclasses.replace(SMOKE, data=dataclasses.replace(SMOKE.data, classes=classes), backbone=backbone)


@pytest.mark.parametrize("shards", ["1GB", "20KB"], ids=["one file", "sharded"])
def test_a_stock_checkpoint_is_the_same_model_in_sequence(stock, tmp_path, shards):
    stock.save_pretrained(tmp_path, max_shard_size=shards)
    model = training.initial(profile(tmp_path), APPROACHES["layershuffle"], 0).eval()
    images = torch.rand(3, 3, 16, 16)
    assert torch.equal(model(images).logits, stock(images).logits)
    assert not torch.equal(model(images, order=[3, 1, 0, 2]).logits, stock(images).logits)
    model.save_pretrained(tmp_path / "again")
    again = ShuffleViT.from_pretrained(tmp_path / "again")
    assert torch.equal(again(images, order=[2, 2]).logits, model(images, order=[2, 2]).logits)


def test_the_head_starts_anew_for_other_classes_alone_and_it_is_said(stock, tmp_path, caplog):
    caplog.set_level("INFO", logger="lsnotebook")
    stock.save_pretrained(tmp_path)
    same = training.initial(profile(tmp_path), APPROACHES["layershuffle-predict"], 0)
    assert torch.equal(same.classifier.weight, stock.classifier.weight) and not said(caplog)
    other = training.initial(profile(tmp_path, classes=5), APPROACHES["layershuffle"], 0)
    assert other.classifier.weight.shape == (5, 32)
    assert said(caplog) == [f"The checkpoint {tmp_path} has no head for 5 classes: the head starts anew."]
    layer = stock.base_model.layers[2].mlp.fc1.weight
    assert torch.equal(other.vit.layers[2].mlp.fc1.weight, layer)


def test_a_checkpoint_without_a_head_gets_one(tmp_path, caplog):
    caplog.set_level("INFO", logger="lsnotebook")
    ViTModel(ViTConfig(**SIZES)).save_pretrained(tmp_path)
    assert training.initial(profile(tmp_path), APPROACHES["baseline"], 0).classifier.weight.shape == (7, 32)
    assert len(said(caplog)) == 1


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ({"layers": 12}, "has layers 4, but the profile says 12"),
        ({"image_size": 32}, "has image_size 16, but the profile says 32"),
        ({"hidden_size": 64}, "has hidden_size 32, but the profile says 64"),
    ],
)
def test_a_checkpoint_of_another_size_is_told(stock, tmp_path, sizes, sentence):
    stock.save_pretrained(tmp_path)
    with pytest.raises(TrainingError, match=sentence):
        training.initial(profile(tmp_path, **sizes), APPROACHES["layershuffle"], 0)


def test_a_checkpoint_out_of_reach_is_told_and_a_local_one_of_its_name_is_taken(store, stock, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        DataError, match=r"'someone/vit' is no folder and could not be fetched .*checkpoints/someone/vit"
    ):
        training.initial(profile("someone/vit"), APPROACHES["layershuffle"], 0)
    with pytest.raises(DataError, match="someone/vit"):
        data.processor(profile("someone/vit").backbone)
    stock.save_pretrained(store / "checkpoints" / "someone" / "vit")
    ViTImageProcessor(size={"height": 16, "width": 16}, image_mean=[0.1] * 3).save_pretrained(
        store / "checkpoints" / "someone" / "vit"
    )
    model = training.initial(profile("someone/vit"), APPROACHES["layershuffle"], 0)
    assert torch.equal(model.classifier.weight, stock.classifier.weight)
    assert data.processor(profile("someone/vit").backbone).image_mean == (0.1, 0.1, 0.1)


def test_a_checkpoint_of_the_hub_is_fetched_and_loaded_without_a_word(stock, tmp_path, monkeypatch, capfd):
    stock.save_pretrained(tmp_path / "kept")
    capfd.readouterr()
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, **_: {"someone/vit": tmp_path / "kept"}[name])
    model = training.initial(profile("someone/vit", classes=5), APPROACHES["layershuffle-position"], 0)
    assert torch.equal(model.vit.layers[2].mlp.fc1.weight, stock.base_model.layers[2].mlp.fc1.weight)
    assert data.processor(profile("someone/vit").backbone).image_mean == (0.5,) * 3, "it has none of its own"
    assert capfd.readouterr() == ("", ""), "bars and reports would stand in the pages"


def test_a_checkpoint_that_cannot_be_read_is_told(stock, tmp_path):
    stock.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(TrainingError, match="cannot be read"):
        training.initial(profile(tmp_path), APPROACHES["layershuffle"], 0)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(TrainingError, match="cannot be read"):
        training.initial(profile(tmp_path), APPROACHES["layershuffle"], 0)


# --- images ----------------------------------------------------------------------------------------------------------


def test_images_that_the_device_decodes_are_those_that_the_workers_decode(store):
    from PIL import Image

    for part in ("train", "val"):
        for name in ("a", "b"):
            (store / "mine" / part / name).mkdir(parents=True)
            for k, mode in enumerate(("RGB", "L", "CMYK", "RGB")):
                picture = Image.effect_noise((20 + k, 30), 50).convert(mode)
                picture.save(store / "mine" / part / name / f"{k}.jpeg")
    images = data.load(
        dataclasses.replace(SMOKE.data, name="mine", classes=2, selection=0, train=None, validation=None), BACKBONE
    ).train
    assert isinstance(images, Subset)
    raw = [data.Unprepared(images)[k] for k in range(len(images))]
    joined, shapes, labels = data.Unprepared.collate(raw)
    pictures = data.Unprepared.apart(joined, shapes)
    assert pictures[0].dtype == torch.uint8 and pictures[0].ndim == 1, "as in the file"
    assert torch.equal(images.dataset.pixels(pictures), torch.stack([image for image, _ in images]))
    assert labels.tolist() == [label for _, label in images]


def test_a_batch_of_any_size_takes_few_open_files():
    """A worker that handed over picture by picture would run out of them at the batches of `imagenet`."""
    pictures = data.Pictures(lambda k: torch.full((k % 7 + 1,), k, dtype=torch.uint8), range(200), ["a"], BACKBONE)
    images = data.Unprepared(Subset(pictures, range(200)))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 64, limits[1]))
    try:
        read = list(data.loader(images, workers=1, batch_size=100, collate_fn=data.Unprepared.collate))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    apart = [picture for joined, shapes, _ in read for picture in data.Unprepared.apart(joined, shapes)]
    assert [picture.tolist() for picture in apart] == [[k] * (k % 7 + 1) for k in range(200)]


def test_a_study_on_image_folders_and_a_public_checkpoint(store, stock):
    """As `imagenet` and `cifar100` are, only smaller: no base of its own, JPEG files, the checkpoint's processor."""
    from PIL import Image

    from lsnotebook.evaluation import accuracies

    for part in ("train", "val"):
        for label in range(7):
            (store / "mine" / part / f"n{label}").mkdir(parents=True)
            for k in range(4):
                picture = Image.effect_noise((20, 18), 10 * label + 1).convert("RGB")
                picture.save(store / "mine" / part / f"n{label}" / f"{k}.JPEG")
    stock.save_pretrained(store / "checkpoints" / "someone" / "vit")
    ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(store / "checkpoints" / "someone" / "vit")
    schedule = dataclasses.replace(PROFILES["imagenet"].refine, steps=4, batch_size=14, check_every=2)
    public = dataclasses.replace(
        profile("someone/vit"),
        data=dataclasses.replace(PROFILES["imagenet"].data, name="mine", classes=7),
        refine=schedule,
        pretrain=None,
    )
    models = runs.study(public, ["baseline", "layershuffle-position"], 1)
    found = accuracies(models, "arbitrary", 3)
    assert len(found) == 6 and found["top1"].between(0, 1).all()
    assert runs.status(models)["step"].tolist() == ["4 of 4", "4 of 4"]
    assert runs.base_of(models[0]).config.distilled == (stock.config.model_type == "deit")
