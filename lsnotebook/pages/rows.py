"""What the rows of a recorded result hold: columns, their types and bounds, and an interval that holds its mean."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from lsnotebook.pages.statements import UNTOLD, VERDICTS

Share = Annotated[float, Field(ge=0, le=1)]
"""A fraction: a percentage has no place among recorded rows."""
Words = Annotated[str, Field(pattern="^[^<>]*$")]
"""Text that may stand in a page as it is."""


class Row(BaseModel):
    """One row: no column more or less, no number that is not finite, and nothing taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    key: ClassVar[tuple[str, ...]]
    """The columns that tell rows apart."""


class Interval(Row):
    """A row with a mean and its interval, or none."""

    mean_of: ClassVar[str]
    """The column that the interval from `low` to `high` is of."""

    low: float | None
    high: float | None

    @model_validator(mode="after")
    def _holds_its_mean(self) -> "Interval":
        low, high = self.low, self.high
        if (low is None) != (high is None) or (low is not None and not low <= getattr(self, self.mean_of) <= high):
            raise ValueError(f"the interval from {low} to {high} does not hold {getattr(self, self.mean_of)}")
        return self


class Averaged(Interval):
    """A mean over networks and orders, as `core.statistics.over_networks` gives it, of an approach."""

    mean_of = "mean"

    approach: Words
    mean: Share
    std: Share | None
    networks: PositiveInt
    orders: PositiveInt


class OverNetworks(Averaged):
    """A row of `core.statistics.over_networks`."""

    key = ("approach", "policy")

    policy: Words


class Judged(Interval):
    """A row of `pages.statements.judged`."""

    key = ("id", "rule")
    mean_of = "build"

    id: Words
    claim: Words
    rule: Words
    bound: Words
    above: float | None = None
    below: float | None = None
    paper: float | None
    build: float
    over: Words
    verdict: Literal[VERDICTS]  # type: ignore[valid-type]
    otherwise: Words
    page: Words
    figure: Words = ""

    @model_validator(mode="after")
    def _is_told_by_an_interval(self) -> "Judged":
        if self.low is None and self.verdict != UNTOLD:
            raise ValueError(f"without an interval the verdict is {UNTOLD!r}")
        return self


class Curve(Row):
    """A row of `engine.finished.history`, with the network that it is of."""

    key = ("approach", "seed", "step")

    approach: Words
    seed: NonNegativeInt
    step: PositiveInt
    learning_rate: NonNegativeFloat
    train_loss: NonNegativeFloat
    selection_loss: NonNegativeFloat
    selection_top1: Share
    seconds: NonNegativeFloat
    joules: NonNegativeFloat | None = None
