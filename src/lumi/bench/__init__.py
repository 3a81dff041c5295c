"""Load and cost: how many devices a server carries, and what each of them costs.

run.py      the command: a server and a load generator, each in a process of its own, level by level
target.py   the server that is measured: everything real but the engines, which answer at once
engines.py  those engines
load.py     the load generator          device.py   one virtual device
playout.py  what a device would have heard: late frames, stalls
meter.py    CPU, memory and threads of a process tree
console.py  what it costs that somebody looks at the operator's view
chaos/      faults instead of load: lines cut, processes killed
report.py   table, JSON, markdown       speech.py   what the devices say
"""
