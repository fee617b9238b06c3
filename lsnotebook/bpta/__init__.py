"""*Backpropagation Through Agents* (Li, Zhao, Wu, Pajarinen; AAAI 2024): the order in which agents act.

Matrix games only, so that all is enumerated or learned in seconds; nothing of it is kept in the run store.
"""

from lsnotebook.core.profiles import Part

PART = Part(title="Backpropagation Through Agents")
