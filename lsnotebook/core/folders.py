"""Which entries of a folder of images are the user's, and which were left there by a machine."""

from pathlib import Path

SYSTEM_FILES = {
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "__macosx", "__pycache__"),
    *("$recycle.bin", "system volume information", "lost+found", "thumbs.db", "desktop.ini"),
}
"""Names, in small letters, of what operating systems, network drives and tools leave in folders."""


def is_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FILES


def class_folders(folder: Path) -> list[str]:
    """The names of the class folders, sorted: a class's label is its place among them. Raises `OSError`."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not is_system(entry.name))
