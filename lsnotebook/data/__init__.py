"""Images in three parts, as batches."""
