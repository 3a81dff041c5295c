"""The terminal app: a pure model of what to show, and thin widgets that show it. Talks through `lumi.client` only."""
