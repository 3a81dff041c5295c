"""Sound for both ends: formats, Opus, resampling, pacing. PCM is always signed 16-bit little-endian mono."""
