"""`python -m lumi` is the command `lumi`."""

from lumi.cli import main

if __name__ == "__main__":
    main()
