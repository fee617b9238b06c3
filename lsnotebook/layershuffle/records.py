"""What `lsnotebook record` writes beside Table 1: from those networks of a profile that are in the store."""

import pandas as pd

from lsnotebook.core.orders import arbitrary, sequential
from lsnotebook.engine import finished
from lsnotebook.engine.run import all_runs, study, trained
from lsnotebook.layershuffle import all_networks, length_networks
from lsnotebook.layershuffle.approaches import BASELINE, LAYERDROP, LAYERSHUFFLE, LENGTHS, REFINED, TABLE_1
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


def lengths(profile: Study, merged: int = 20) -> pd.DataFrame:
    """What a longer refinement changes: approach, steps, measure, number (a network's, a merged model's), value.

    Measures, of each network: sequential and arbitrary (top-1, the mean over the orders), position (the share that is
    predicted correctly in arbitrary order), drift (from the base, see `merging.drift`); of models merged from these
    networks, in sequence for the ViT, in arbitrary order for LayerShuffle: merged (top-1).
    """
    there, found = dict(trained(profile, length_networks(profile))), []
    for name, versions in LENGTHS.items():
        for approach in (version for version in versions if version in there):
            models = study(profile, [approach], there[approach])
            measured = accuracies(models, (sequential, arbitrary)).groupby(["policy", "seed"])
            values = measured["top1"].mean().unstack("policy")
            values["position"] = measured["position"].mean()["arbitrary"]
            values["drift"] = drifts(models).set_index("seed")["drift"]
            values = values.melt(var_name="measure", ignore_index=False).rename_axis("number").reset_index()
            if name in ("baseline", "layershuffle"):
                sampler = sequential if name == BASELINE.name else arbitrary
                top1 = merged_accuracies(models, sampler, merged, min(len(models), models[0].layers))["top1"]
                values = pd.concat([values, pd.DataFrame({"number": top1.index, "measure": "merged", "value": top1})])
            found.append(values.assign(approach=name, steps=models[0].schedule.steps))
    return pd.concat(found, ignore_index=True).dropna(subset="value")
