"""lsnotebook: the library behind the reproducible companion of *LayerShuffle* (arXiv 2407.04513).

Every scheme of the paper is a way to draw an *order*, a sequence of layer indices. Read the modules from
the ground up: orders, model, profiles, data, training, runs, evaluation, paper, plots, cli.

Nothing heavy is imported here: a module costs its import only where it is used.
"""

__version__ = "0.1.0"
