"""`python -m editanything` is the command line."""

import sys

from editanything.cli import main

if __name__ == "__main__":
    sys.exit(main())
