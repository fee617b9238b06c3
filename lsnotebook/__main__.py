"""`python -m lsnotebook`, as `accelerate launch -m lsnotebook` needs it."""

from lsnotebook.cli import main

main()
