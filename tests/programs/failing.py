"""A page whose notebook fails."""

raise ValueError("the notebook failed")
