"""Random training steps, for hypothesis."""

from hypothesis import strategies as st

from lsnotebook.roam.graph import Graph


@st.composite
def graphs(draw, most=6):
    """Operators that make one or two blocks each and read blocks of those before them, some of which they overwrite."""
    count = draw(st.integers(1, most))
    sizes, makers, readers = [], [], []
    before = [set() for _ in range(count)]
    for operator in range(count):
        for block in draw(st.sets(st.integers(0, len(sizes) - 1), max_size=3)) if sizes else ():
            before[operator] |= {makers[block]}
            if draw(st.booleans()):  # overwrites it: what has read it so far must have run
                before[operator] |= readers[block]
            readers[block].add(operator)
        for size in draw(st.lists(st.integers(0, 20), max_size=2)):
            sizes.append(size), makers.append(operator), readers.append(set())
    kept = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=1)) if sizes else ()
    return Graph(
        names=tuple(map(str, range(count))),
        before=tuple(map(frozenset, before)),
        sizes=tuple(sizes),
        makers=tuple(makers),
        readers=tuple(map(frozenset, readers)),
        kept=frozenset(kept),
        updates=frozenset(draw(st.sets(st.integers(0, count - 1), max_size=2))),
        forward=count // 2,
    )
