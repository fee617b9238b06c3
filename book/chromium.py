"""The Chromium of this machine."""

import shutil


def chromium() -> str | None:
    """Its path, whatever the system calls it; None where there is none."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
