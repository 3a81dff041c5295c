"""Load and cost, measured."""
