"""The scales of the language page, and trained decoders, each kept in the store as soon as it is there.

One takes seconds to train, so that what is interrupted begins anew, and what is finished stays. Its file is named after
a hash of all that it depends on: the sizes, the text, the tokenizer and the code.
"""

import dataclasses
import functools
from dataclasses import dataclass
from pathlib import Path

import torch
from joblib import cpu_count
from safetensors.torch import load, save
from tokenizers import Tokenizer
from torch import Tensor
from transformers import LlamaForCausalLM

from lsnotebook.core.profiles import named
from lsnotebook.core.progress import Progress
from lsnotebook.core.source import code_version
from lsnotebook.core.store import checksum, data_root, hashed, read_checked, turn, write_checked
from lsnotebook.engine.runs import one_thread
from lsnotebook.engine.workers import Advance, side_by_side
from lsnotebook.sortednet import text
from lsnotebook.sortednet.language import BASE, ORDINARY, SORTED, LanguageScale, initial, train

SMALL = LanguageScale(
    name="language", vocabulary=1024, layers=6, hidden_size=64, heads=4, mlp_size=160, context=128, batch_size=4,
    pretrain_steps=500, refine_steps=200, learning_rate=1e-2, refine_learning_rate=4e-3, seeds=3, passages=32,
)  # fmt: skip
SMOKE = dataclasses.replace(
    SMALL, name="language-smoke", layers=3, hidden_size=32, mlp_size=64, pretrain_steps=20, refine_steps=10, seeds=2,
    context=64, passages=8,
)  # fmt: skip
SCALES = {scale.name: scale for scale in (SMALL, SMOKE)}
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"
"""One tensor by two names, of which a file holds one."""


def scale_of(name: object) -> LanguageScale:
    """Raises `UnknownNameError`."""
    return named(name, SCALES, "profile")


@functools.cache
def tokenizer_of(vocabulary: int) -> Tokenizer:
    return text.trained_tokenizer(vocabulary)


@functools.cache
def tokens(vocabulary: int, part: str) -> Tensor:
    """All tokens (N,) of a part."""
    return torch.tensor(text.tokens_of(tokenizer_of(vocabulary), part))


def passages(scale: LanguageScale, part: str, count: int) -> Tensor:
    """(count, T): passages of a part, evenly spaced, none overlapping."""
    whole = tokens(scale.vocabulary, part).unfold(0, scale.context, scale.context)
    return whole[torch.linspace(0, len(whole) - 1, min(count, len(whole))).long()]


@dataclass(frozen=True)
class Decoder:
    """One trained decoder: its scale, its kind (`language.KINDS`), and its seed. There is one base."""

    scale: LanguageScale
    kind: str
    seed: int = 0

    @property
    def base(self) -> "Decoder | None":
        return None if self.kind == BASE else Decoder(self.scale, BASE)

    @property
    def recipe(self) -> dict:
        """All that decides its weights."""
        measured = ("name", "seeds", "passages")
        sizes = {name: value for name, value in dataclasses.asdict(self.scale).items() if name not in measured}
        tokenizer = checksum(tokenizer_of(self.scale.vocabulary).to_str().encode())
        code = code_version("lsnotebook.sortednet.language", text.__name__)
        made_of = {"text": text.fingerprint(), "tokenizer": tokenizer, "code": code}
        return {**sizes, **made_of, "kind": self.kind, "seed": self.seed}

    @property
    def file(self) -> Path:
        name = f"{self.scale.name}-{self.kind}-seed{self.seed}-{hashed(self.recipe)}.safetensors"
        return data_root() / "runs" / "language" / name

    @property
    def is_there(self) -> bool:
        return self.file.exists()

    def weights(self, advance: Advance = lambda count: None) -> dict[str, Tensor]:
        """Trained where they are not in the store; of several processes that ask for them, one does it."""
        file, key = self.file, hashed(self.recipe)
        if (content := read_checked(file, key)) is None:
            with turn(file.with_suffix(".lock"), f"training {file.stem}"):
                if (content := read_checked(file, key)) is None:
                    network = initial(self.scale, self.seed, self.base.weights() if self.base else None)
                    with one_thread():
                        learned = tokens(self.scale.vocabulary, "train")
                        train(network, learned, self.scale, self.kind, self.seed, advance)
                    content = save({name: one for name, one in network.state_dict().items() if name != HEAD})
                    write_checked(file, key, content)
        weights = load(content)
        return {**weights, HEAD: weights[EMBEDDING]}

    def load(self) -> LlamaForCausalLM:
        return initial(self.scale, self.seed, self.weights()).eval()


def study(scale: LanguageScale, seeds: int | None = None) -> list[Decoder]:
    """The refined networks of both kinds, trained where they are missing: the base first, then side by side."""
    wanted = [Decoder(scale, kind, seed) for kind in (ORDINARY, SORTED) for seed in range(seeds or scale.seeds)]
    if missing := [one for one in wanted if not one.is_there]:
        base, workers = Decoder(scale, BASE), min(cpu_count(), len(missing))
        total = sum(scale.steps(one.kind) for one in (*missing, base))
        with Progress(total, f"training {len(missing) + 1} decoders") as progress:
            base.weights(progress.advance)
            if workers > 1:
                side_by_side(Decoder.weights, missing, workers, progress.advance, [__name__])
            else:
                for one in missing:
                    one.weights(progress.advance)
    return wanted
