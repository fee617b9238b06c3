"""Maps are made on machines, too, that leave numba no folder for what it compiles."""

import subprocess
import sys

UMAP = """
from numba import njit

@njit(cache=True)
def compiled(x):
    return x + 1

class UMAP:
    answer = compiled(1)
"""
PROGRAM = """
import tempfile
from numba.core import caching

def writable(locator):
    if not locator.get_cache_path().startswith(tempfile.gettempdir() + "/numba-"):
        raise OSError(30, "Read-only file system")
    ensure(locator)

ensure, caching._CacheLocator.ensure_cache_path = caching._CacheLocator.ensure_cache_path, writable
try:
    import umap
except RuntimeError:
    from lsnotebook.layershuffle import maps
    print(maps.UMAP.answer, maps.compiled.name)
"""


def test_maps_need_no_folder_that_can_be_written(tmp_path):
    (tmp_path / "umap.py").write_text(UMAP)  # it is numba's part that matters, and umap's takes a minute to compile
    ended = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    answer, folder = ended.stdout.split() or [ended.stderr, ""]
    assert answer == "2" and not (tmp_path / folder).exists(), "cleaned up"
