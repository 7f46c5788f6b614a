"""``python -m errsrc``: the command line."""

import sys

from errsrc.cli import main

if __name__ == "__main__":
    sys.exit(main())
