"""Jobs that wait until they are interrupted, as the command line does it: one word, no traceback."""

import sys
from pathlib import Path

from jobs import run_until_killed

if __name__ == "__main__":
    try:
        run_until_killed([Path(path) for path in sys.argv[1:]])
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
