"""What routing answers.

*In*: made by `routing.compiled` and `routing.table`. *Out*: values that intake acts on.
*Never*: behaviour.
"""

import attrs

from pdu.status import Status
from routing.actions import NOTHING, Actions


@attrs.frozen
class Decision:
    """A rule matched."""

    rule: str
    """Name of the rule."""
    outlets: tuple[str, ...]
    """Fail-over order; empty only when `actions.drop` says that nothing is sent."""
    actions: Actions = NOTHING
    """What else to do to the message, of this rule and of those before it that go on."""


@attrs.frozen
class NoRoute:
    """The message is refused: no rule matched, or one rejects it."""

    why: str = "no rule matches the account and the destination"
    status: Status = Status.ESME_RINVDSTADR
    """What to answer."""
    rule: str = ""
    """Name of the rule that rejects; "" when none matched."""


NO_ROUTE = NoRoute()
