"""The tables and sentences of the page on operators, from plans, outcomes and the authors' tables."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from scipy.stats import gmean

from lsnotebook.pages.tables import percent
from lsnotebook.roam import authors
from lsnotebook.roam.capture import captured
from lsnotebook.roam.execute import Outcome, fitting, needed
from lsnotebook.roam.figures import SHOWN
from lsnotebook.roam.graph import KINDS, at_peak
from lsnotebook.roam.layout import LAYOUTS, Block, Layout, best, blocks, extent, layouts, least
from lsnotebook.roam.plans import LEAST, MIB, Plan, in_mib, planned


def peaks(plans: Mapping[int, Plan]) -> pd.DataFrame:
    """One row for each batch size and order: batch, order, mib (the peak of dynamic memory), and how much of the peak
    is of each of `graph.KINDS`."""
    rows = []
    for batch, plan in plans.items():
        for name, order in plan.orders.items():
            kinds = {kind: size / MIB for kind, size in at_peak(plan.step.graph, order).items()}
            rows.append({"batch": batch, "order": name, "mib": plan.mib(name), **kinds})
    return pd.DataFrame(rows)


def orders(plans: Mapping[str, Plan]) -> pd.DataFrame:
    """MiB of every order (row) for each network (column), and the share of the program's."""
    return pd.DataFrame(
        {
            name: {order: in_mib(plan.mib(order)) + share(plan, order) for order in plan.orders}
            for name, plan in plans.items()
        }
    )


def share(plan: Plan, order: str) -> str:
    return f" ({percent(plan.mib(order) / plan.mib('program'), 0)})"


def found(plans: Mapping[str, Plan]) -> str:
    """Whether the orders of least memory are proven, and what the rest of the memory is."""
    told = []
    for name, plan in plans.items():
        size, bound = plan.found.peak / MIB, plan.found.bound / MIB
        if plan.found.proven:
            proof = f"proven to be the least in {plan.found.states:,} states"
        else:
            least_known = f"it is only known that none needs less than {in_mib(bound)}"
            proof = f"not proven: after {plan.found.states:,} states {least_known}"
        told.append(
            f"**{name}**: {len(plan.step.graph):,} operators that make {len(plan.step.graph.sizes):,} blocks; "
            f"{in_mib(size)}\u00a0MiB, {proof}. The weights are {in_mib(plan.step.weights / MIB)}\u00a0MiB, Adam's "
            "moments twice that."
        )
    return "\n".join(f"- {line}" for line in told)


def by_batch(table: pd.DataFrame) -> str:
    """What the best order saves of the dynamic memory at each batch size, and whose memory that is."""
    wide = table.pivot(index="batch", columns="order", values="mib")
    savings = 1 - wide[LEAST] / wide["program"]
    gradients = table[table["order"] == "program"].set_index("batch")[KINDS[0]] / wide["program"]
    texts = [f"{percent(saving)} at batch size {batch}" for batch, saving in savings.items()]
    of = [f"{percent(part, 0)} at {batch}" for batch, part in gradients.items()]
    return (
        f"Against the program, the best order saves of the dynamic memory {', '.join(texts)}. At the program's peak, "
        f"gradients of weights are {', '.join(of)} of it: these an order can free early; the activations that the "
        "backward pass still needs it cannot."
    )


def laid_out(plan: Plan) -> pd.DataFrame:
    """MiB of the arena for each layout (row), in the program's order and in the best (columns). The last row is what is
    live at once."""
    columns = {}
    for name in ("program", LEAST):
        order = plan.orders[name]
        them = blocks(plan.step.graph, order)
        columns[name] = {way: extent(them, layout) / MIB for way, layout in layouts(them).items()}
        columns[name]["live at once: the lower bound"] = least(plan.step.graph, order) / MIB
    return pd.DataFrame(columns)


def measured(plan: Plan, outcomes: Mapping[str, Outcome]) -> pd.DataFrame:
    """One row for each order that was run: predicted and measured peak in MiB, their difference in %, and whether
    everything is the same to the last bit as in the program's order."""
    rows = {}
    for name, outcome in outcomes.items():
        predicted = plan.mib(name)
        rows[name] = {
            "predicted, MiB": predicted,
            "measured, MiB": outcome.peak / MIB,
            "difference, %": 100 * (outcome.peak / MIB / predicted - 1),
            "loss and weights": "the same bits" if outcome.same(outcomes["program"]) else "others",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def measured_told(plan: Plan, outcomes: Mapping[str, Outcome]) -> str:
    """How far the prediction is off, and where."""
    if not outcomes:
        return f"The large network was not run{'' if fitting(plan, SHOWN) else no_room(plan)}."
    off = {name: outcome.peak / MIB / plan.mib(name) - 1 for name, outcome in outcomes.items()}
    within = [name for name, difference in off.items() if abs(difference) <= 0.01]
    others = [
        f"{name} ({percent(abs(difference))} {'more' if difference > 0 else 'less'}, "
        f"{abs(difference) * plan.mib(name):.3g}\u00a0MiB)"
        for name, difference in off.items()
        if name not in within
    ]
    text = f"Within 1\u00a0% of the prediction: {', '.join(within) or 'none'}; not: {', '.join(others) or 'none'}."
    more = any(difference > 0.01 for difference in off.values())
    return text + (" What an operator allocates for itself while it runs is in no plan." if more else "")


def no_room(plan: Plan) -> str:
    return (
        f": that takes {needed(plan, SHOWN) / 2**30:,.1f}\u00a0GiB, more than half of this machine's memory; take a "
        "smaller batch"
    )


def arena_told(outcome: Outcome, program: Outcome, size: int) -> str:
    same = "the same bits as" if outcome.same(program) else "**other bits** than"
    return (
        f"From one arena of {in_mib(size / MIB)}\u00a0MiB, in the order of least memory, loss, weights and Adam's "
        f"moments are {same} in the program's order; at most {in_mib(outcome.peak / MIB)}\u00a0MiB were allocated."
    )


def abstract() -> pd.DataFrame:
    """The abstract's four numbers from the authors' tables: the mean of what, its smallest and largest value; and the
    geometric mean of what is a ratio."""
    said = {
        name: f"{number}×" if name == "planning" else percent(number / 100)
        for name, number in authors.abstract().items()
    }
    rows = {}
    for compared in authors.COMPARED:
        values = authors.saved(compared).to_numpy()
        ends = f"{percent(values.min())} to {percent(values.max())}"
        rows[f"memory saved against {compared}"] = said.get(compared, "–"), percent(values.mean()), ends
    times = authors.quicker().to_numpy()
    name, ends = "planning time, MODeL's over ROAM's", f"{times.min():.1f}× to {times.max():.1f}×"
    rows[name] = said["planning"], f"{times.mean():.1f}×", ends
    rows[f"{name}: geometric mean"] = "–", f"{gmean(times, axis=None):.1f}×", ends
    return pd.DataFrame.from_dict(rows, orient="index", columns=["abstract", "mean of the tables", "from … to"])


def abstract_told() -> str:
    """How much of the first number is the allocator's."""
    whole, order = (authors.saved(name).to_numpy().mean() for name in ("PyTorch", "PyTorch without fragmentation"))
    return (
        f"Of the {percent(whole)} against PyTorch, {percent(order)} are left against PyTorch's own peak without "
        f"fragmentation: {percent(1 - order / whole, 0)} of the saving is over what a GPU's allocator leaves unused "
        "between blocks, for which no other order of operators is needed."
    )


def on_authors_networks(batches: tuple[int, ...] = authors.BATCHES) -> pd.DataFrame:
    """Our planner on the authors' networks: network, batch (as index), operators, proven, and MiB with the weights, as
    in their tables: program, LESCEA, least (each the peak), and with a layout: program_fit (the program's order, placed
    as it comes), heuristics (LESCEA, longest-lived first), best (the best order and layout)."""
    rows = {}
    for name in authors.NETWORKS:
        model = authors.network(name)
        for size in batches:
            rows[name, size] = row(planned(captured(model, authors.batch(size))))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["network", "batch"])


def row(plan: Plan) -> dict[str, float | bool]:
    weights = plan.step.weights / MIB

    def arena(order: str, place: Callable[[Sequence[Block]], Layout] = best) -> float:
        them = blocks(plan.step.graph, plan.orders[order])
        return weights + extent(them, place(them)) / MIB

    return {
        "operators": len(plan.step.graph),
        "proven": plan.found.proven,
        "program": weights + plan.mib("program"),
        "LESCEA": weights + plan.mib("LESCEA"),
        "least": weights + plan.mib(LEAST),
        "program_fit": arena("program", LAYOUTS["first fit"]),
        "heuristics": arena("LESCEA", LAYOUTS["longest-lived first"]),
        "best": arena(LEAST),
    }


def beside(table: pd.DataFrame) -> pd.DataFrame:
    """The authors' MiB beside ours for each network and batch size, in three ways to order and to place; a star where
    our best order is not proven to be the best."""
    published = authors.published().pivot(columns="method", values="mib").loc[table.index]
    shown = {
        (way, whose): mib.map("{:,.1f}".format)
        for way, theirs, ours in (
            ("as written", "PyTorch, theoretical", "program"),
            ("heuristics", "LESCEA + LLFB", "heuristics"),
            ("best", "ROAM, single-stream", "best"),
        )
        for whose, mib in (("theirs", published[theirs]), ("ours", table[ours]))
    }
    shown["best", "ours"] += table["proven"].map({True: "", False: "*"})
    return pd.DataFrame(shown)


def beside_told(table: pd.DataFrame) -> str:
    """Where ROAM's published number lies below what is proven here to be the least, and how often LESCEA is as good."""
    roam = authors.published().pivot(columns="method", values="mib")["ROAM, single-stream"].loc[table.index]
    least = table["least"][table["proven"] & (roam < 0.99 * table["least"])]
    below = [
        f"{network} at batch size {batch} ({roam[network, batch]:,.0f}\u00a0MiB, ours at least {ours:,.0f})"
        for (network, batch), ours in least.items()
    ]
    equal = (table["LESCEA"] <= 1.001 * table["least"]).sum()
    return (
        f"{table['proven'].sum()} of the {len(table)} orders are proven to be the best; LESCEA's is within 0.1\u00a0% "
        f"of the best found in {equal}. Below a proven optimum of ours by more than 1\u00a0% lie the authors' numbers "
        f"for {', '.join(below) or 'no network'}{': their graph cannot be ours' if below else ''}."
    )


def to_take_away(plans: Mapping[int, Plan], table: pd.DataFrame) -> str:
    """The page's answers, from the plans of the large network by batch size, and from `on_authors_networks`."""
    left = {
        batch: {name: plan.mib(name) / plan.mib("program") for name in plan.orders} for batch, plan in plans.items()
    }
    first, last = min(left), max(left)
    told = [f"{percent(left[batch][LEAST], 0)} at batch size {batch}" for batch in dict.fromkeys((first, last))]
    simple = percent(left[first]["update at once"], 0)
    as_good = (table["LESCEA"] <= 1.001 * table["least"]).sum()
    whole, order = (authors.saved(name).to_numpy().mean() for name in ("PyTorch", "PyTorch without fragmentation"))
    answers = (
        f"**What can an order save?** Of the program's dynamic memory the best order takes {' and '.join(told)}: it "
        "frees gradients early, and has to keep activations.",
        f"**Does it take a search?** Updating each weight as soon as its gradient is there takes {simple} at batch "
        f"size {first}; a heuristic is as good as the best order found, to 0.1\u00a0%, in {as_good} of {len(table)} "
        "steps.",
        f"**Can one know that there is no better order?** In {table['proven'].sum()} of these {len(table)} steps it is "
        "proven.",
        f"**Is it the order that saves?** Of the {percent(whole)} against PyTorch in the authors' tables, "
        f"{percent(order)} are left where fragmentation does not count.",
    )
    return "\n".join(f"- {answer}" for answer in answers)
