"""Verbs of the control door about outlets: see `smsc outlets`.

*In*: the outlet desk. *Out*: verbs. *Never*: what they do; the desk knows.
"""

from smsc.control.verbs import Answer, Declined, Told, Verbs
from smsc.gateway.outlet_desk import OutletDesk


def add_outlet_verbs(verbs: Verbs, desk: OutletDesk) -> None:
    """`outlets.list`: rows; `outlets.control`: one action on one outlet."""

    async def list_outlets() -> Answer:
        return Told(desk.rows())

    async def control(outlet: str, action: str) -> Answer:
        why = desk.control(outlet, action)
        return Told() if why is None else Declined((why,))

    verbs.add("outlets.list", list_outlets)
    verbs.add("outlets.control", control, required={"outlet": str, "action": str})
