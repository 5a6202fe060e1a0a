"""The control door: how `smsc outlets`, `smsc reload` and others talk to the gateway that runs.

`door` listens, `client` asks, `verbs` is what may be asked; a file for each group of verbs.
To add some: a file beside `outlet_verbs.py` that adds them to `Verbs`, a line in `smsc.app`.
"""
