"""Which messages of an earlier life an outlet's network took, for outlets that ask for their ends.

*In*: live messages, some at a time. *Out*: upstream ids to the outlets that have the verb `remind`.
*Never*: knows a network.
"""

from collections.abc import Mapping, Sequence

from smsc.message import MessageId, OutletName, Progress, State
from smsc.ports import Outlet


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
