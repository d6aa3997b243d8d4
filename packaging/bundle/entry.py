"""Where the bundled program begins."""

from __future__ import annotations

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a child process of a library's is this program, started once more

    from app.__main__ import main

    sys.exit(main())
