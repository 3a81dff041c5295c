"""Models for the engines that run here: which there are, fetching them, and where they lie."""
