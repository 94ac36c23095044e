"""`make bench`: prints a table of the design's budgets, measured beside bare baselines in the same run."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # started by path, this folder stood there

from bench.suite import main  # noqa: E402 - the path comes first

if __name__ == "__main__":
    main()
