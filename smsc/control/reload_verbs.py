"""Verbs of the control door about the configuration: see `smsc reload`.

*In*: the reloader. *Out*: verbs. *Never*: what a reload does.
"""

from smsc.control.verbs import Answer, Declined, Told, Verbs
from smsc.gateway.reloading import NotReloaded, Reloaded, Reloader


def add_reload_verbs(verbs: Verbs, reloader: Reloader) -> None:
    """`reload`: read the configuration file again; what changed, or every mistake."""

    async def reload() -> Answer:
        match await reloader.reload("smsc reload"):
            case Reloaded() as done:
                return Told({"file": str(reloader.file.path), **done.as_dict()})
            case NotReloaded(why):
                return Declined(why)

    verbs.add("reload", reload)
