"""No page is ever stale: pages are read, and notebooks run, anew when anything that they are made from has changed.

Sphinx itself watches the configuration, and the pages by their times, which a clock that goes back makes wrong. This
adds the content of the pages, the library, the lock, what lies beside the pages, and recorded results, wherever
`data/` is. It leaves out what notebooks write themselves (the run store keys its own content).
"""

import contextlib
import hashlib
import json
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from lsnotebook.core.store import data_root

WATCHED = (
    "lsnotebook/**/*.py",
    "lsnotebook/**/*.js",
    "lsnotebook/**/*.css",
    "lsnotebook/**/*.csv",
    "requirements.lock",
    "book/_ext/*.py",
    "book/_static/**/*",
)


def fingerprint(root: Path, results: Path) -> str:
    """Of the watched files below the project's folder, and of all that stands in the folder of the results."""
    digest = hashlib.sha256()
    watched = [(root, path) for pattern in WATCHED for path in root.glob(pattern)]
    for folder, path in sorted([*watched, *((results, path) for path in results.rglob("*"))]):
        content = b"no file"  # the page that shows it says so
        if path.is_file():
            with contextlib.suppress(OSError):
                content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> set[str]:
    """What to read beyond what Sphinx found: all pages, or those that show values of a changed notebook."""
    done, begun = stamps(app)
    now = {name: hashlib.sha256(Path(env.doc2path(name)).read_bytes()).hexdigest() for name in sorted(env.found_docs)}
    made_from = {"project": fingerprint(Path(app.srcdir).parent, data_root() / "results"), "pages": now}
    before = json.loads(done.read_text()) if done.exists() else {}
    # Until this build ends well, none has: after a failure, a warning or a kill the next one makes every page anew.
    done.unlink(missing_ok=True)
    begun.parent.mkdir(parents=True, exist_ok=True)
    begun.write_text(json.dumps(made_from, indent=1))
    if before.get("project") != made_from["project"]:
        return set(env.found_docs)
    changed = changed | {name for name in now if before["pages"].get(name) != now[name]}
    notebooks = {name for name in env.found_docs if env.doc2path(name).endswith(".ipynb")}
    return changed | (set(env.found_docs) - notebooks if notebooks & (added | changed) else set())


def finish(app: Sphinx, error: Exception | None) -> None:
    done, begun = stamps(app)
    if not error and not app._warncount and begun.exists():
        begun.replace(done)


def stamps(app: Sphinx) -> tuple[Path, Path]:
    """Where it is recorded what the pages as they are were made from, and those that are being made."""
    return Path(app.outdir) / ".made_from.json", Path(app.outdir) / ".made_from.begun"


def setup(app: Sphinx) -> dict:
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
