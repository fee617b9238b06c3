"""What `lsnotebook record` writes beside Table 1: from those networks of a profile that are in the store. And which
rows there can be: each result has a function for its `keys` (see `core.profiles.Result`)."""

from typing import Literal

import pandas as pd
from pydantic import NonNegativeFloat, NonNegativeInt, model_validator

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import finished
from lsnotebook.engine.run import all_runs, study, trained
from lsnotebook.layershuffle import all_networks, both_networks, table_1_networks
from lsnotebook.layershuffle.approaches import BASE, BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM, REFINED, TABLE_1
from lsnotebook.layershuffle.claims import CLAIMS, check
from lsnotebook.layershuffle.collapse_tables import KEY, WAYS, summary
from lsnotebook.layershuffle.measurements import accuracies, collapses, drifts, merged_accuracies
from lsnotebook.layershuffle.profiles import Study
from lsnotebook.pages.rows import Averaged, Row, Words

MEASURES = "sequential", "arbitrary", "position", "drift", "merged"
COLLAPSING = BASELINE, LAYERSHUFFLE, LAYERDROP


class Network(Row):
    """A row of `networks`."""

    key = ("approach", "measure", "number")

    approach: Words
    measure: Literal[MEASURES]  # type: ignore[valid-type]
    number: NonNegativeInt
    value: NonNegativeFloat

    @model_validator(mode="after")
    def _is_a_share(self) -> "Network":
        if self.measure != "drift" and self.value > 1:
            raise ValueError(f"a share is no more than 1, but {self.measure} is {self.value}")
        return self


class Way(Averaged):
    """A row of `collapse`."""

    key = KEY

    way: Literal[WAYS]  # type: ignore[valid-type]
    number: NonNegativeInt


def table_1_keys(profile: Study) -> list[tuple]:
    return [(approach.name, sampler.policy) for approach in TABLE_1 for sampler in (sequential, arbitrary)]


def claim_keys(profile: Study) -> list[tuple]:
    return [(name,) for there in CLAIMS.values() for name in there]


def curve_keys(profile: Study) -> list[tuple]:
    base = [(BASE, 1)] if profile.pretrain else []
    wanted = all_runs(profile, [*base, *all_networks(profile)])
    return [(run.approach.name, run.seed) for run in wanted]


def network_keys(profile: Study) -> list[tuple]:
    return [(approach.name, measure) for approach in (*TABLE_1, PREDICT_SUM) for measure in MEASURES]


def collapse_keys(profile: Study) -> list[tuple]:
    return [(approach.name, way) for approach in COLLAPSING for way in WAYS]


def claims(profile: Study) -> pd.DataFrame:
    """The statements of those claims whose networks are in the store, as `claims.check` gives them."""
    pruned = LAYERSHUFFLE, LAYERDROP, BASELINE, *(REFINED[layers] for layers in profile.depths)
    needed = {
        "02_execution_order": table_1_networks(profile),
        "03_pruning": [(approach, profile.seeds) for approach in pruned],
        "04_representations": both_networks(profile),
        "05_merging": [(approach, profile.sources) for approach in (BASELINE, LAYERSHUFFLE)],
    }
    return check(profile, [page for page, networks in needed.items() if trained(profile, networks) == networks])


def curves(profile: Study) -> pd.DataFrame:
    """The learning curves: `finished.history` of each network, with approach and seed."""
    runs = all_runs(profile, trained(profile, all_networks(profile)))
    runs = list(dict.fromkeys([*(run.base for run in runs if run.base), *runs]))
    tables = [finished.history(run).assign(approach=run.approach.name, seed=run.seed) for run in runs]
    return pd.concat(tables, ignore_index=True)


def networks(profile: Study, merged: int = 20) -> pd.DataFrame:
    """What single networks of Table 1, and of the sum of the position losses, give: approach, measure, number, value.

    Measures, by the number of the network: sequential and arbitrary (top-1, the mean over the orders), position (the
    share that is predicted correctly in arbitrary order), drift (from the base, see `merging.drift`). By the number of
    the model that is merged from these networks: merged (top-1; the ViT in sequence, LayerShuffle in arbitrary order).
    """
    found = []
    for approach, seeds in trained(profile, [(approach, profile.seeds) for approach in (*TABLE_1, PREDICT_SUM)]):
        models = study(profile, [approach], seeds)
        measured = accuracies(models, (sequential, arbitrary)).groupby(["policy", "seed"])
        values = measured["top1"].mean().unstack("policy")
        values["position"] = measured["position"].mean()["arbitrary"]
        values["drift"] = drifts(models).set_index("seed")["drift"]
        values = values.melt(var_name="measure", ignore_index=False).rename_axis("number").reset_index()
        if approach in (BASELINE, LAYERSHUFFLE):
            sampler = sequential if approach is BASELINE else arbitrary
            top1 = merged_accuracies(models, sampler, merged, min(seeds, profile.backbone.layers))["top1"]
            values = pd.concat([values, pd.DataFrame({"number": top1.index, "measure": "merged", "value": top1})])
        found.append(values.assign(approach=approach.name))
    return pd.concat(found, ignore_index=True).dropna(subset="value")


def collapse(profile: Study, images: int = 1_000) -> pd.DataFrame:
    """`collapse_tables.summary` of the ViT, of LayerShuffle, and of LayerDrop where it is in the store; of more images
    than a build takes."""
    networks = trained(profile, [(approach, profile.seeds) for approach in COLLAPSING])
    return summary(collapses(all_runs(profile, networks), images=images), 1 / profile.images.classes)
