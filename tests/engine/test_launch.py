"""One network on several processes, or compiled: the same is learned, and what cannot work is refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import FullyShardedDataParallelPlugin
from accelerate.utils import DistributedType
from accelerate.utils.fsdp_utils import fsdp2_prepare_auto_wrap_policy
from launched import forked, launched
from safetensors.torch import load_file

from lsnotebook.core.orders import arbitrary
from lsnotebook.core.profiles import Machine
from lsnotebook.engine import launch, runs
from lsnotebook.engine.launch import TrainingError, accelerator_for
from lsnotebook.engine.run import Run, unfinished
from lsnotebook.engine.state import STATE
from lsnotebook.layershuffle.approaches import BASE, LAYERDROP, LAYERSHUFFLE, PREDICT
from lsnotebook.layershuffle.profiles import SMOKE

PROGRAMS = Path(__file__).parents[1] / "programs"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_compiled_layer_by_layer_the_same_is_learned_and_saved_under_the_same_names(learned, far):
    compiled = learned("compiled", Machine(compile=True))
    assert far(compiled, learned("whole")) < 1e-4
    assert not any("_orig_mod" in name for name in compiled)


@pytest.mark.slow
def test_two_processes_learn_what_one_does(trained, tmp_path, monkeypatch, far):
    """Also with dropped layers, whose gradients DDP would otherwise leave unequal without a word."""
    approaches = [LAYERSHUFFLE, LAYERDROP, PREDICT]
    names = [approach.name for approach in approaches]
    both = tmp_path / "both"
    ended = launched(both, "-m", "lsnotebook", "train", "smoke", *names, "--seed", "0")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("3 runs of smoke are in the store") == 1, "one rank speaks"
    wanted = [Run(SMOKE, approach, 0) for approach in approaches]
    runs.ensure(wanted, workers=1)
    for run in [Run(SMOKE, BASE, 0), *wanted]:
        alone = load_file(run.folder / "model.safetensors")
        with monkeypatch.context() as patch:
            patch.setenv("LSNOTEBOOK_DATA", str(both))
            assert far(load_file(run.folder / "model.safetensors"), alone) < 1e-3, run
            assert not unfinished(run.folder).exists()


@pytest.mark.slow
def test_a_run_that_two_processes_began_is_finished_by_one(trained, tmp_path, monkeypatch, far):
    """Its state is one file, whatever the number of processes."""
    base = Run(SMOKE, BASE, 0)
    both = tmp_path / "both"
    assert forked(both, tmp_path / "shown", str(PROGRAMS / "killed_rank.py")) == 9
    runs.ensure([base])
    alone = load_file(base.folder / "model.safetensors")
    monkeypatch.setenv("LSNOTEBOOK_DATA", str(both))
    assert (unfinished(base.folder) / STATE).exists() and not base.folder.exists()
    runs.ensure([base])
    assert far(load_file(base.folder / "model.safetensors"), alone) < 1e-3


@pytest.mark.slow
def test_a_model_sharded_over_two_processes_runs_in_any_order_and_is_resumed(store, tmp_path):
    """FSDP: each layer is gathered from both when it runs, so that both must run the same order."""
    shown = tmp_path / "shown"
    assert forked(store, shown, str(PROGRAMS / "sharded.py"), str(tmp_path)) == 0, shown.read_text()
    assert "history [{'step': 2}] far little" in shown.read_text()


@pytest.mark.parametrize(
    "variant", [{}, {"distilled": True}, {"encode_position": True}], ids=["ViT", "DeiT", "position"]
)
def test_accelerate_shards_the_layers_each_by_itself(toy, variant):
    plugin = FullyShardedDataParallelPlugin(fsdp_version=2, auto_wrap_policy="transformer_based_wrap")
    model = toy(**variant)
    sharded = fsdp2_prepare_auto_wrap_policy(plugin, model)
    assert [module for module in model.modules() if sharded(module)] == list(model.vit.layers)


def test_the_first_version_of_fsdp_is_refused(monkeypatch):
    first = SimpleNamespace(distributed_type=DistributedType.FSDP, is_fsdp2=False)
    monkeypatch.setattr(launch, "Accelerator", lambda **_: first)
    with pytest.raises(TrainingError, match="version 2"):
        accelerator_for(SMOKE.refine, arbitrary)


def test_the_environment_has_no_say_in_the_weights(learned, far, monkeypatch):
    """Above all what Accelerate reads from it, in one process and under a launcher."""
    before, precision = learned("before"), torch.get_float32_matmul_precision()
    hostile = {
        "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4",
        "ACCELERATE_MIXED_PRECISION": "bf16",
        "ACCELERATE_DOWNCAST_BF16": "true",
        "ACCELERATE_DYNAMO_BACKEND": "INDUCTOR",
        "ACCELERATE_USE_FSDP": "true",
        "ACCELERATE_USE_CPU": "true",
        "ACCELERATE_USE_DEEPSPEED": "false",
    }
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    torch.set_float32_matmul_precision("medium")  # as TORCH_ALLOW_TF32_CUBLAS_OVERRIDE has it when torch is imported
    try:
        assert far(learned("hostile"), before) == 0
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_float32_matmul_precision(precision)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ATEN_CPU_CAPABILITY", "default"),
        ("ONEDNN_MAX_CPU_ISA", "SSE41"),
        ("NVIDIA_TF32_OVERRIDE", "0"),
        ("ACCELERATE_TORCH_DEVICE", "meta"),
        ("ACCELERATE_USE_DEEPSPEED", "true"),
        ("ACCELERATE_USE_MEGATRON_LM", "True"),
    ],
)
def test_what_cannot_be_overruled_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match=rf"^The environment would change the weights by {name}: unset that[^\n]*$"):
        accelerator_for(SMOKE.refine, arbitrary)
