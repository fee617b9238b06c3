"""Checkpoints as they are found in the wild: those of a ViT are the same model, each other one gets a sentence."""

import json
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from lsnotebook.layershuffle.checkpoints import CheckpointError
from lsnotebook.layershuffle.model import ShuffleViT

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": 16,
    "patch_size": 4,
    "initializer_range": 0.2,
    "num_labels": 7,
}
VIT = {**SIZES, "intermediate_size": 48}
DECODER = {"decoder_hidden_size": 16, "decoder_num_attention_heads": 2, "decoder_intermediate_size": 16}
KINDS = {"ViT": hf.ViTForImageClassification, "DeiT": hf.DeiTForImageClassification}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def saved(folder, kind=hf.ViTForImageClassification, dtype=torch.float32, **options):
    model = kind(kind.config_class(**{**VIT, **options})).to(dtype).eval()
    model.save_pretrained(folder)
    return model


def edited(folder, values=lambda values: None, weights=lambda weights: weights):
    """Change a checkpoint in its folder: `values` edits its config in place, `weights` returns other tensors."""
    config = json.loads((folder / "config.json").read_text())
    values(config)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})


def pixels(channels=3, height=16, width=16):
    return torch.rand(3, channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_it_is_the_stock_class_in_every_precision(kind, tmp_path, dtype):
    saved(tmp_path, kind, dtype)
    ours, stock = ShuffleViT.from_pretrained(tmp_path), kind.from_pretrained(tmp_path)
    assert ours.dtype == stock.dtype == dtype
    assert torch.equal(ours(pixels()).logits, stock(pixels()).logits), "of float32 images"
    other = torch.float32 if dtype == torch.bfloat16 else torch.bfloat16
    assert ShuffleViT.from_pretrained(tmp_path, dtype=other).dtype == other
    eager = {"attn_implementation": "eager"}
    ours, stock = ShuffleViT.from_pretrained(tmp_path, **eager), kind.from_pretrained(tmp_path, **eager)
    assert torch.equal(ours(pixels()).logits, stock(pixels()).logits)
    position = ShuffleViT.from_pretrained(tmp_path, encode_position=True, predict_position=True)
    assert position(pixels(), order=[2, 0]).position_logits.dtype == dtype


@pytest.mark.parametrize(
    ("options", "images"),
    [
        ({"hidden_act": "relu", "layer_norm_eps": 1e-3}, pixels()),
        ({"qkv_bias": False}, pixels()),
        ({"image_size": [16, 24], "patch_size": [4, 8]}, pixels(height=16, width=24)),
        ({"num_channels": 1}, pixels(channels=1)),
        ({"id2label": {0: "cat", 1: "dog"}}, pixels()),
    ],
    ids=["activation", "qkv_bias", "oblong", "grey", "labels"],
)
def test_unusual_options_are_kept(kind, tmp_path, options, images):
    stock = saved(tmp_path, kind, **options)
    ours = ShuffleViT.from_pretrained(tmp_path)
    assert torch.equal(ours(images).logits, stock(images).logits)
    assert ours.config.id2label == stock.config.id2label


@pytest.mark.parametrize("names", ["encoder.layer.3.attention.attention.query.bias", "layers.3.attention.q_proj.bias"])
def test_the_names_of_transformers_4_and_5_are_read(kind, tmp_path, names):
    stock = saved(tmp_path, kind)  # with the names of 4
    if names.startswith("layers"):
        save_file(stock.state_dict(), tmp_path / "model.safetensors")
    assert f"{stock.base_model_prefix}.{names}" in load_file(tmp_path / "model.safetensors")
    assert torch.equal(ShuffleViT.from_pretrained(tmp_path)(pixels()).logits, stock(pixels()).logits)


def test_other_ways_to_pretrain_a_vit_are_read(tmp_path, caplog):
    msn = saved(tmp_path / "msn", hf.ViTMSNForImageClassification)
    assert torch.equal(ShuffleViT.from_pretrained(tmp_path / "msn")(pixels()).logits, msn(pixels()).logits)
    decoder = {"decoder_num_hidden_layers": 1, **DECODER}
    for name, model in {
        "mae": hf.ViTMAEForPreTraining(hf.ViTMAEConfig(**VIT, **decoder)),
        "masks": hf.ViTForMaskedImageModeling(hf.ViTConfig(**VIT, encoder_stride=4)),
        "pooler": hf.ViTModel(hf.ViTConfig(**VIT)),
    }.items():
        caplog.clear()
        model.save_pretrained(tmp_path / name)
        ours = ShuffleViT.from_pretrained(tmp_path / name)
        theirs = dict(model.base_model.named_parameters())
        assert torch.equal(ours.vit.layers[3].mlp.fc2.weight, theirs["layers.3.mlp.fc2.weight"])
        assert torch.equal(ours.vit.embeddings.position_embeddings, theirs["embeddings.position_embeddings"])
        assert [record.message for record in caplog.records if record.name.startswith("lsnotebook")] == [
            f"The checkpoint {tmp_path / name} has no head for 7 classes: the head starts anew."
        ]


def test_the_options_of_the_stock_class_are_those_of_both_kinds(kind, tmp_path):
    stock = saved(tmp_path / "a" / "b", kind, id2label={k: f"class {k}" for k in range(7)})
    ours, report = ShuffleViT.from_pretrained(tmp_path / "a", subfolder="b", output_loading_info=True)
    assert ours.config.id2label[6] == "class 6" and not any(report.values())
    assert ours.config.name_or_path == str(tmp_path / "a")
    assert torch.equal(ours(pixels()).logits, stock(pixels()).logits)
    (tmp_path / "a" / "b" / "model.safetensors").rename(tmp_path / "a" / "b" / "model.fp16.safetensors")
    with_config = ShuffleViT.from_pretrained(tmp_path / "a" / "b", variant="fp16", config=stock.config)
    assert torch.equal(with_config(pixels()).logits, stock(pixels()).logits)
    stock.save_pretrained(tmp_path / "shards", variant="fp16", max_shard_size="20KB")
    in_shards = ShuffleViT.from_pretrained(tmp_path / "shards", variant="fp16")
    assert torch.equal(in_shards(pixels()).logits, stock(pixels()).logits)
    with pytest.raises(CheckpointError, match="has a head for 7 classes, but 5 are asked for: pass num_labels=7"):
        ShuffleViT.from_pretrained(tmp_path / "a" / "b", variant="fp16", num_labels=5)


def test_a_config_without_labels_says_what_to_pass(kind, tmp_path):
    saved(tmp_path, kind)
    edited(tmp_path, lambda values: [values.pop(name, None) for name in ("id2label", "label2id", "num_labels")])
    with pytest.raises(CheckpointError, match="pass num_labels=7 to keep it"):
        ShuffleViT.from_pretrained(tmp_path)
    ShuffleViT.from_pretrained(tmp_path, num_labels=7)


def all_as(dtype):
    return lambda weights: {name: weight.to(dtype) for name, weight in weights.items()}


def without(part):
    return lambda weights: {name: weight for name, weight in weights.items() if part not in name}


@pytest.mark.parametrize(
    ("values", "weights", "sentence"),
    [
        ({}, without("layer.2."), r"lacks 16 weights .*layers\.2\."),
        ({}, without("classifier"), r"lacks 2 weights .*classifier\.bias"),
        ({}, without("cls_token"), "lacks 1 weights .*cls_token"),
        ({}, lambda weights: {f"module.{name}": weight for name, weight in weights.items()}, "lacks 7. weights"),
        ({"num_hidden_layers": 2}, dict, r"has 32 weights that the network .* does not have .*layers\.2"),
        ({"num_hidden_layers": 6}, dict, "lacks 32 weights"),
        ({"image_size": 32}, dict, "in another shape .*position_embeddings"),
        ({"encode_position": True}, dict, "lacks 13 weights .*position_encodings"),
        (
            {},
            lambda weights: {**weights, "position_table.weight": torch.zeros(4)},
            "has 1 weights that .*position_table",
        ),
        ({}, all_as(torch.int8), "weights that are of the type int8"),
        ({}, all_as(torch.float8_e4m3fn), "weights that are of the type float8"),
        ({}, all_as(torch.complex64), "weights that are of the type complex64"),
        ({}, lambda weights: {name: weight * torch.nan for name, weight in weights.items()}, "that are not finite"),
        ({"hidden_size": "32"}, dict, "cannot be read .*hidden_size"),
        ({"patch_size": 0}, dict, "cannot be read .*ZeroDivisionError"),
        ({"id2label": ["cat", "dog"]}, dict, "cannot be read"),
        ({"hidden_act": "swoosh"}, dict, "cannot be read .*swoosh"),
        ({"quantization_config": {"quant_method": "bitsandbytes"}}, dict, "is quantized"),
    ],
)
def test_no_weight_but_a_head_for_other_classes_starts_anew_or_is_left_out(kind, tmp_path, values, weights, sentence):
    saved(tmp_path, kind)
    edited(tmp_path, lambda config: config.update(values), weights)
    with pytest.raises(CheckpointError, match=sentence) as raised:
        ShuffleViT.from_pretrained(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_checkpoint_cannot_ask_for_code(tmp_path):
    stock = saved(tmp_path)
    asks = {"attn_implementation": "someone/kernel", "auto_map": {"AutoConfig": "code.Config"}}
    edited(tmp_path, lambda values: values.update(asks, transformers_weights="adapter_model.bin"))
    ours = ShuffleViT.from_pretrained(tmp_path)
    assert torch.equal(ours(pixels()).logits, stock(pixels()).logits) and not hasattr(ours.config, "auto_map")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("Beit", VIT),
        ("Dinov2", SIZES),
        (
            "Swin",
            {"image_size": 16, "patch_size": 2, "embed_dim": 8, "depths": [1], "num_heads": [1], "window_size": 2},
        ),
        ("Bert", {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "vocab_size": 30}),
    ],
)
def test_another_kind_of_model_is_named(tmp_path, kind, options):
    getattr(hf, f"{kind}Model")(getattr(hf, f"{kind}Config")(**options)).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=f"is of the type '{kind.lower()}', whose layers .*; name a ViT or DeiT"):
        ShuffleViT.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("pytorch_model.bin", r"a pickle of PyTorch but no model.safetensors.* convert it once .*from_pretrained\('"),
        ("tf_model.h5", "has weights of TensorFlow but .*from_tf=True"),
        ("flax_model.msgpack", "has weights of Flax but .*from_flax=True"),
        (None, "has no model.safetensors.*pytorch_model.bin alone, .*hf download"),
    ],
)
def test_weights_of_another_format_are_never_read(kind, tmp_path, file, sentence, monkeypatch):
    model = saved(tmp_path, kind)
    (tmp_path / "model.safetensors").unlink()
    if file:
        torch.save(model.state_dict(), tmp_path / file)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("unpickled"))
    with pytest.raises(CheckpointError, match=sentence):
        ShuffleViT.from_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=sentence):
        ShuffleViT.from_pretrained(tmp_path, use_safetensors=False)


def test_a_pickle_is_converted_as_the_sentence_says(kind, tmp_path):
    model = saved(tmp_path, kind)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    kind.from_pretrained(tmp_path).save_pretrained(tmp_path)
    assert torch.equal(ShuffleViT.from_pretrained(tmp_path)(pixels()).logits, model(pixels()).logits)


def test_files_that_are_damaged_or_missing_are_named(tmp_path):
    def sentence():
        with pytest.raises(CheckpointError) as raised:
            ShuffleViT.from_pretrained(tmp_path)
        return str(raised.value)

    assert "has no config.json" in sentence()
    (tmp_path / "config.json").write_text("{")
    assert "config.json cannot be read" in sentence()
    (tmp_path / "config.json").write_text("[1]")
    assert "config.json cannot be read" in sentence()
    model = saved(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    for content in (whole[:5000], b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"):
        (tmp_path / "model.safetensors").write_bytes(content)
        assert "model.safetensors cannot be read" in sentence()
    (tmp_path / "model.safetensors").unlink()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    shards[1].unlink()
    assert f"lacks 1 of its {len(shards)} files ({shards[1].name})" in sentence()
    for place in ("../other/model.safetensors", str(tmp_path.parent / "model.safetensors")):
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": place}}))
        assert "lies in another folder" in sentence()
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": 3}')
    assert "index.json cannot be read" in sentence()
    (tmp_path / "adapter_config.json").write_text("{}")
    assert "is a LoRA adapter" in sentence()


def test_a_name_that_is_no_folder(monkeypatch):
    assert not Path("someone").exists()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ValueError, match=r"'someone/vit' is no folder and could not be fetched.*--local-dir someone/vit"
    ):
        ShuffleViT.from_pretrained("someone/vit")
    with pytest.raises(ValueError, match=r"'\./no/such/folder' is no folder, nor a name of the hub"):
        ShuffleViT.from_pretrained("./no/such/folder")
