"""A page that says when it was made."""

import time

print("made at", time.time_ns())
