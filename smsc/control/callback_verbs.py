"""Verbs of the control door about callbacks: see `smsc callbacks`.

*In*: the callback desk. *Out*: verbs. *Never*: what they do; the desk knows.
"""

from smsc.callback_desk import CallbackDesk
from smsc.control.verbs import Answer, Told, Verbs


def add_callback_verbs(verbs: Verbs, desk: CallbackDesk) -> None:
    """`callbacks.list`: rows by mailbox; `callbacks.retry`: of a host, or of all."""

    async def list_callbacks() -> Answer:
        return Told([{"mailbox": mailbox, **row} for mailbox, row in desk.report().items()])

    async def retry(host: str = "") -> Answer:
        return Told({"deliveries": desk.retry(host)})

    verbs.add("callbacks.list", list_callbacks)
    verbs.add("callbacks.retry", retry, optional={"host": str})
