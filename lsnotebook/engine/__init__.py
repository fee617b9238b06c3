"""Training and evaluation of any part's networks: the loop, its state, launches, runs, workers, clusters."""
