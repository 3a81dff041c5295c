"""A recogniser and a voice for Lumi, in Morse code. Nothing is imported before an engine is asked for."""
