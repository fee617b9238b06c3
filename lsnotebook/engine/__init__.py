"""Training and evaluation of any part's networks: the loop, its state, several devices, runs, workers, clusters."""
