"""Runs a cell in a kernel that the book's builds fork, and prints what it prints."""

import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
from nbclient import execute

sys.path.insert(0, str(Path(__file__).parents[2] / "book" / "_ext"))
import preloaded_kernels

if __name__ == "__main__":
    preloaded_kernels.IMPORTS[1:] = ["imaplib"]  # any that nothing else imports
    preloaded_kernels.setup(SimpleNamespace())
    folder, cell = sys.argv[1:]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    execute(notebook, cwd=folder)
    print(notebook.cells[0].outputs[0]["text"])
