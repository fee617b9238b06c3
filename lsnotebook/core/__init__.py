"""What knows no paper: orders, randomness, profiles, the store, progress, statistics, errors."""
