"""BERT and RoBERTa on a task of GLUE, sorted in depth (Tables 3 and 8), with the hyperparameters of Table 7.

They need a checkpoint, data (from the Hugging Face Hub with `pip install lsnotebook[glue]`, or from a folder) and a
GPU, and are not run in the book; on tiny networks and data they are tested.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BatchEncoding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    get_linear_schedule_with_warmup,
)

from lsnotebook.core.errors import LsnotebookError
from lsnotebook.core.profiles import named
from lsnotebook.core.randomness import stream
from lsnotebook.core.seeding import seeded
from lsnotebook.sortednet.language import prefix
from lsnotebook.sortednet.submodels import run


class GlueError(LsnotebookError, RuntimeError):
    """Data of a task that cannot be had."""


@dataclass(frozen=True)
class Task:
    """A task of GLUE: the columns of its text, its metric, how many classes there are (1: a number instead)."""

    columns: tuple[str, ...]
    metric: Callable
    labels: int = 2
    validation: str = "validation"


PAIR = ("sentence1", "sentence2")
TASKS = {
    "mnli": Task(("premise", "hypothesis"), accuracy_score, labels=3, validation="validation_matched"),
    "sst2": Task(("sentence",), accuracy_score),
    "mrpc": Task(PAIR, f1_score),  # where a network knows nothing the table has 81.22, the F1 of "always yes"
    "cola": Task(("sentence",), matthews_corrcoef),
    "qnli": Task(("question", "sentence"), accuracy_score),
    "qqp": Task(("question1", "question2"), accuracy_score),
    "rte": Task(PAIR, accuracy_score),
    "stsb": Task(PAIR, lambda truth, said: pearsonr(truth, said).statistic, labels=1),
}


@dataclass(frozen=True)
class GlueProfile:
    """A checkpoint, a task and how it is trained (Table 7; its seeds are 10, 110, 1010, 42 and 4242). The text at hand
    has learning rates of 2e-5 or 6e-6 and batches of 32 or 8, but not which for which; nor the number of epochs."""

    checkpoint: str
    """A name on the Hub, such as roberta-base or bert-base-uncased, or a folder."""
    task: str
    data: Path | None = None
    """A folder with train.jsonl and validation.jsonl; None: from the Hub."""
    batch_size: int = 32
    learning_rate: float = 2e-5
    epochs: int = 30
    warmup: float = 0.06
    weight_decay: float = 0.1
    length: int = 512


def examples(profile: GlueProfile, part: str) -> pd.DataFrame:
    """The examples of a part (train or validation): the columns of the task, and label. Raises `GlueError`."""
    task = named(profile.task, TASKS, "task of GLUE")
    if profile.data:
        path = profile.data / f"{part}.jsonl"
        if not path.is_file():
            raise GlueError(f"There is no {path}: put the {part} examples of {profile.task} there, one JSON a line.")
        return pd.read_json(path, lines=True)
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise GlueError(
            "GLUE comes by the package datasets: pip install lsnotebook[glue], or name a folder."
        ) from error
    split = task.validation if part == "validation" else part
    return load_dataset("nyu-mll/glue", profile.task, split=split).to_pandas()


def batches(
    profile: GlueProfile, tokenizer: PreTrainedTokenizerBase, table: pd.DataFrame, order: list[int]
) -> Iterator[BatchEncoding]:
    """The examples in an order, as tokens with labels (B,)."""
    task = TASKS[profile.task]
    for first in range(0, len(order), profile.batch_size):
        rows = table.iloc[order[first : first + profile.batch_size]]
        words = (rows[column].tolist() for column in task.columns)
        batch = tokenizer(*words, truncation=True, max_length=profile.length, padding=True, return_tensors="pt")
        batch["labels"] = torch.tensor(rows["label"].tolist(), dtype=torch.float if task.labels == 1 else torch.long)
        yield batch


def prefixes(network: PreTrainedModel) -> list[PreTrainedModel]:
    """The skeletons of the first 1, 2 … layers: all share the pooler and the classifier."""
    return [prefix(network, layers) for layers in range(1, network.config.num_hidden_layers + 1)]


def train(profile: GlueProfile, seed: int, device: str = "cpu") -> PreTrainedModel:
    """Fine-tune, for each batch a random number of the first layers (Algorithm 1)."""
    task, tokenizer = named(profile.task, TASKS, "task of GLUE"), AutoTokenizer.from_pretrained(profile.checkpoint)
    with seeded(seed, "glue"):  # the classifier is new
        network = AutoModelForSequenceClassification.from_pretrained(profile.checkpoint, num_labels=task.labels)
    network.to(device).train()
    table, smaller = examples(profile, "train"), [one.train() for one in prefixes(network)]
    optimizer = torch.optim.AdamW(network.parameters(), profile.learning_rate, weight_decay=profile.weight_decay)
    steps, step = profile.epochs * -(-len(table) // profile.batch_size), 0
    schedule = get_linear_schedule_with_warmup(optimizer, int(profile.warmup * steps), steps)
    for epoch in range(profile.epochs):
        order = stream(seed, "glue", epoch).permutation(len(table)).tolist()
        for batch in batches(profile, tokenizer, table, order):
            depth = int(stream(seed, "depth", step).integers(len(smaller)))
            with seeded(seed, "dropout", step):
                run(smaller[depth], **batch.to(device)).loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            step += 1
    return network.eval()


@torch.no_grad()
def scores(profile: GlueProfile, network: PreTrainedModel) -> pd.DataFrame:
    """The metric of the task after each number of layers, in %, on the validation examples: layers, score."""
    task, tokenizer = named(profile.task, TASKS, "task of GLUE"), AutoTokenizer.from_pretrained(profile.checkpoint)
    table, rows = examples(profile, "validation"), []
    for layers, small in enumerate(prefixes(network), start=1):
        said: list[float] = []
        for batch in batches(profile, tokenizer, table, [*range(len(table))]):
            logits = run(small.eval(), **batch.to(network.device)).logits
            said += (logits[:, 0] if task.labels == 1 else logits.argmax(-1)).tolist()
        rows.append((layers, 100 * float(task.metric(table["label"], said))))
    return pd.DataFrame(rows, columns=["layers", "score"])
