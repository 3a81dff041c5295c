"""What each command of `lumi` does; `lumi.cli` only reads the arguments."""
