"""What the gateway does for outlets that are online services: finds them, and reminds them.

*In*: the path of an HTTP request; messages of an earlier life. *Out*: the outlet that a service
calls by this path; ids for outlets that ask their services what became of them.
*Never*: knows a service; an outlet says by its attributes what it wants.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from smsc.gateway.outlet_keeper import Leaving
from smsc.message import MessageId, OutletName, Progress, State
from smsc.ports import Outlet


def receiver_at(outlets: Mapping[OutletName, Outlet], path: str) -> Any:
    """The outlet whose `receipts_path` this is, also while it goes; None if nobody's is.

    The path is a secret, so its octets are compared in constant time.
    """
    asked = path.encode()
    for one in outlets.values():
        outlet: Any = one.outlet if isinstance(one, Leaving) else one
        known = getattr(outlet, "receipts_path", "")
        if known and hmac.compare_digest(known.encode(), asked):
            return outlet
    return None


def remind(
    outlets: Mapping[OutletName, Outlet], some: Sequence[tuple[MessageId, Progress]]
) -> None:
    """Tell outlets that ask for ends which messages their services took and have not ended."""
    asking = {name: one.remind for name, one in outlets.items() if hasattr(one, "remind")}
    if not asking:
        return
    for _, progress in some:
        if progress.state is State.ENROUTE and progress.outlet in asking:
            asking[progress.outlet](progress.upstream_ids)
