"""What `lsnotebook record` writes beside Table 1: from those networks of a profile that are in the store."""

import pandas as pd

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import finished
from lsnotebook.engine.run import all_runs, study, trained
from lsnotebook.layershuffle import all_networks
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, PREDICT_SUM, REFINED, TABLE_1
from lsnotebook.layershuffle.claims import check
from lsnotebook.layershuffle.measurements import accuracies, drifts, merged_accuracies
from lsnotebook.layershuffle.profiles import Study


def claims(profile: Study) -> pd.DataFrame:
    """The statements of those claims whose networks are in the store, as `claims.check` gives them."""
    pruned = LAYERSHUFFLE, LAYERDROP, BASELINE, *(REFINED[layers] for layers in profile.depths)
    both = LAYERSHUFFLE, BASELINE
    needed = {
        "02_execution_order": [(approach, profile.seeds) for approach in TABLE_1],
        "03_pruning": [(approach, profile.seeds) for approach in pruned],
        "04_representations": [(approach, profile.seeds) for approach in both],
        "05_merging": [(approach, profile.sources) for approach in both],
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
