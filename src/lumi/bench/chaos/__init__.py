"""Faults on purpose: shows that nothing is lost and nothing comes twice. `python -m lumi.bench.chaos --help`.

__main__.py    the command: campaign after campaign, a table, JSON
campaigns.py   every campaign by its name
record.py      what was asked, answered, shown and made, and what is wrong with it
house.py       a server in memory that dies and comes back, with a store that stays
memory.py      a thousand cuts in virtual time
boundaries.py  one conversation, cut at every message boundary
sockets.py     cuts at any byte of real sockets
kills.py       a server process, and a client process, killed again and again
server.py, client.py   those processes
"""
