"""The wire: messages, frames, codec, state. Pure: no I/O, no clock, no log."""
