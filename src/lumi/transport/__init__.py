"""Moves text and bytes; knows no message."""
