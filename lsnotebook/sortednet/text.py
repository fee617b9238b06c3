"""Text that every machine has: the modules of Python's standard library that are one file each, in this version.

Another version of Python has other text, so that the fingerprint of the text belongs to all that is computed from it.
Whole files are held out, not passages: the rest of a file tells much about any passage of it.
"""

import functools
import sys
import sysconfig
import tokenize
import zlib
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.store import checksum

PARTS = ("train", "selection", "validation")
END = "<end>"
"""The token between two files."""


class TextError(LsnotebookError, RuntimeError):
    """A Python without the sources of its standard library."""


@functools.cache
def sources() -> dict[str, str]:
    """The text of each module, by its name. Raises `TextError`."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = {}
    for name in sorted(sys.stdlib_module_names):
        path = folder / f"{name}.py"
        if path.is_file():
            with tokenize.open(path) as file:  # in the encoding that the file names
                found[name] = file.read()
    if len(found) < 20:
        raise TextError(
            f"The source files of Python's standard library are not in {folder}, and the page learns from them: use a "
            "Python that has them, such as those of python.org, Debian or conda."
        )
    return found


def part_of(name: str) -> str:
    """The part of a module, by its name alone, so that it is the same in all versions of Python: a tenth of the
    modules for selection, a tenth for validation."""
    return {0: "selection", 1: "validation"}.get(zlib.crc32(name.encode()) % 10, "train")


def files(part: str) -> list[str]:
    """The texts of a part."""
    return [text for name, text in sources().items() if part_of(name) == part]


@functools.cache
def fingerprint() -> str:
    """A hash of all names and texts."""
    return checksum(*(f"{name}\0{text}\0".encode() for name, text in sources().items()))[:16]


def trained_tokenizer(vocabulary: int) -> Tokenizer:
    """A byte-level byte-pair encoding of `vocabulary` tokens, from the training files: any text has tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[END], initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(files("train"), trainer)
    return tokenizer


def tokens_of(tokenizer: Tokenizer, part: str) -> list[int]:
    """The tokens of a part, its files one after another with `END` before each."""
    end = tokenizer.get_vocab()[END]
    return [token for text in tokenizer.encode_batch_fast(files(part)) for token in (end, *text.ids)]


def lengths(tokenizer: Tokenizer) -> list[int]:
    """The bytes that each token stands for; those of `END` are none."""
    vocabulary = tokenizer.get_vocab()  # a byte is one character there
    return [0 if word == END else len(word) for word in sorted(vocabulary, key=vocabulary.__getitem__)]
