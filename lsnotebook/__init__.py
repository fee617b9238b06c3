"""lsnotebook: the library behind the reproducible companion of *LayerShuffle* (arXiv 2407.04513).

Five floors, each of which imports only from those below it: `core` and `data`; `engine` and `pages`; the parts
(`layershuffle`); `cli`. Read a part first: its `approaches` say which networks there are, its `model` what they
compute.

Nothing heavy is imported here: `from lsnotebook import ShuffleViT` loads torch when it is asked for.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["ShuffleViT"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("lsnotebook.layershuffle.model"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
