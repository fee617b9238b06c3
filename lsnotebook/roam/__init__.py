"""ROAM (Shu, Wang, Shi, Zhao, Li, Lu; arXiv 2310.19295): the order of a training step's operators, and its memory."""

from lsnotebook.core.profiles import Part

PART = Part(title="ROAM", commands=("lsnotebook.roam.commands:roam",))
