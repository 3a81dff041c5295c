"""One turn of conversation: PCM in, PCM out. Does not know the wire."""
