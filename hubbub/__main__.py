"""The command ``hubbub``."""

from __future__ import annotations

import sys

from hubbub.cli import main

if __name__ == "__main__":
    sys.exit(main())
