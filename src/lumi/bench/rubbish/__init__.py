"""Rubbish instead of load: frames that make no sense, against the decoder and against a live server.

frames.py    makes them, the same ones for the same seed
decoder.py   all of them through `protocol.Connection`: nothing may be raised
sender.py    connections that send them to a server, and count what they are told; a process of its own
campaign.py  a live server with devices in conversation, without rubbish and with it
__main__.py  the command
targets.py   what a fuzzer calls with bytes of its own making
guided.py    the command that lets one do so
"""
