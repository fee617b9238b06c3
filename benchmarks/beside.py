"""Evaluating several networks, in one process with all cores or in one-thread processes side by side, with and without
a busy neighbour."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing.synchronize import Event

import torch
from torch.utils.data import TensorDataset
from transformers import ViTConfig, ViTForImageClassification

from lsnotebook.core.draws import draw
from lsnotebook.core.orders import arbitrary
from lsnotebook.core.profiles import Profile
from lsnotebook.core.seeding import seeded
from lsnotebook.data.batches import in_turn
from lsnotebook.engine.attention import for_few_tokens
from lsnotebook.layershuffle.approaches import LAYERSHUFFLE
from lsnotebook.layershuffle.evaluation import evaluate
from lsnotebook.layershuffle.model import ShuffleViT
from lsnotebook.layershuffle.networks import initial

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["beside"])


@dataclass(frozen=True)
class Job:
    """A network (by its seed), and how many images and orders it is evaluated on."""

    profile: Profile
    seed: int
    images: int
    orders: int
    batch: int

    def evaluated(self) -> None:
        orders = draw(arbitrary, self.profile.backbone.layers, self.orders)
        evaluate(network(self.profile, self.seed), images_of(self.profile, self.images), orders, self.batch)

    def looped(self) -> None:
        """The plain loop."""
        plain_loop(stock(self.profile, self.seed), images_of(self.profile, self.images), self.orders, self.batch)

    def multiplied(self) -> None:
        """The matrix products of the layers in the same forward passes, and nothing else."""
        linears = [module for module in network(self.profile, self.seed).vit.layers.modules()
                   if isinstance(module, torch.nn.Linear)]  # fmt: skip
        backbone = self.profile.backbone
        tokens = (backbone.image_size // backbone.patch_size) ** 2 + 1
        sizes = [min(self.batch, self.images - start) for start in range(0, self.images, self.batch)]
        with torch.inference_mode():
            for size in sizes:
                for _ in range(self.orders):
                    for linear in linears:
                        linear(rows(size * tokens, linear.in_features))


@cache
def network(profile: Profile, seed: int) -> ShuffleViT:
    with seeded(seed, "initialisation"):
        return for_few_tokens(initial(profile, LAYERSHUFFLE).eval())


@cache
def stock(profile: Profile, seed: int) -> ViTForImageClassification:
    return stock_of(network(profile, seed))


def stock_of(ours: ShuffleViT) -> ViTForImageClassification:
    """The stock class with the same weights, and with torch's own attention."""
    model = ViTForImageClassification(ViTConfig.from_dict(ours.config.to_dict())).eval().to(ours.device)
    model.load_state_dict(ours.state_dict())
    return model


def plain_loop(model: ViTForImageClassification, images: TensorDataset, orders: int, batch: int) -> list[float]:
    """As a script that calls an evaluation function again and again: top-1, all images read for each order."""
    found = []
    for _ in range(orders):
        with torch.no_grad():
            correct = sum(
                (model(x.to(model.device)).logits.argmax(-1).cpu() == y).sum().item() for x, y in in_turn(images, batch)
            )
        found.append(correct / len(images))
    return found


@cache
def images_of(profile: Profile, count: int) -> TensorDataset:
    backbone, generator = profile.backbone, torch.Generator().manual_seed(0)
    pixel_values = torch.randn(count, backbone.channels, *[backbone.image_size] * 2, generator=generator)
    return TensorDataset(pixel_values, torch.randint(profile.images.classes, (count,), generator=generator))


@cache
def rows(count: int, width: int) -> torch.Tensor:
    return torch.randn(count, width)


def prepare(jobs: Sequence[Job], threads: int) -> None:
    """Have the networks and images of some jobs ready in this process."""
    torch.set_num_threads(threads)
    for job in jobs:
        stock(job.profile, job.seed)
        images_of(job.profile, job.images)


@contextmanager
def pool(jobs: Sequence[Job], workers: int) -> Iterator[Callable[[Callable[[Job], None]], None]]:
    """Calls a function for each job, `workers` at a time in processes of one thread each, which stay for the next."""
    with ProcessPoolExecutor(workers, CONTEXT, prepare, (jobs, 1)) as executor:
        yield lambda do: list(executor.map(do, jobs))


@contextmanager
def neighbour() -> Iterator[Callable[[Callable[[], None]], Callable[[], None]]]:
    """A process that multiplies matrices in a loop, on one thread, while what is given to the result runs."""
    busy, ready = CONTEXT.Event(), CONTEXT.Event()
    process = CONTEXT.Process(target=multiply, args=(busy, ready), daemon=True)
    process.start()
    ready.wait()

    def beside(do: Callable[[], None]) -> Callable[[], None]:
        def done() -> None:
            busy.set()
            do()
            busy.clear()

        return done

    try:
        yield beside
    finally:
        process.kill()


def multiply(busy: Event, ready: Event) -> None:
    torch.set_num_threads(1)
    left, right = torch.randn(2, 256, 256)
    ready.set()
    while busy.wait():
        left @ right
