"""Images in three splits, as batches."""
