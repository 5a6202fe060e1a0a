"""What an operation of playSMS web services gets, and what it is: shared by all of them.

*In*: nothing. *Out*: `Ask`, `Operation`. *Never*: what an operation does.
"""

import datetime as dt
from collections.abc import Awaitable, Callable

import attrs

from bridges.http.dialects.playsms import dates
from bridges.http.dialects.playsms.accounts import balance_of
from bridges.http.dialects.playsms.codes import Fault
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.formats import Answer
from bridges.http.dialects.playsms.parameters import Parameters
from bridges.http.dialects.playsms.send import Reading
from bridges.http.endpoint import Call
from bridges.http.gateway import Account
from smsc.message import AccountId
from smsc.ports import Profile, Refused


@attrs.frozen
class Operation:
    """One row of the table of operations."""

    handler: "Handler"
    needs: tuple[str, ...] = ()
    """Parameters that must not be empty, besides `u` and the secret."""
    missing: int = 102
    """The code when one is; for admin operations also when there is no such account."""
    failed: int = 102
    """The code of what goes wrong otherwise."""
    closed: int = 105
    """The code that a closed account hears."""
    is_admin: bool = False
    has_target: bool = False
    """`data_username` must be an account."""
    by_password: bool = False
    """`p`, a password, proves who is calling; else `h`, a token."""


@attrs.frozen
class Ask:
    """A request of somebody who may make it, with all that the operation needs."""

    operation: Operation
    call: Call
    asked: Parameters
    caller: Account
    reading: Reading

    @property
    def config(self) -> PlaysmsConfig:
        """The settings."""
        return self.reading.config

    @property
    def name(self) -> AccountId:
        """Who is calling."""
        return AccountId(self.caller.name)

    @property
    def profile(self) -> Profile:
        """What is known of the caller."""
        found = self.call.gateway.directory.profile(self.name)
        # Without a profile, for a moment: an account that is being removed.
        return found or Profile(account=self.name, uid=0)

    @property
    def zone(self) -> dt.tzinfo:
        """What the caller's dates mean."""
        return dates.zone(self.profile.time_zone)

    @property
    def target(self) -> AccountId:
        """The account that an admin operation is about."""
        return AccountId(self.asked.get("data_username"))

    def missing(self, why: str = "") -> Fault:
        """The operation lacks something."""
        return Fault(self.operation.missing, why)

    def failed(self, why: str | Refused = "") -> Fault:
        """The operation did nothing."""
        return Fault(self.operation.failed, why.why if isinstance(why, Refused) else why)

    def balance(self, account: AccountId) -> str:
        """What an account may still spend, as it is shown."""
        return balance_of(self.call.gateway.credits.balances(account), self.config)


Handler = Callable[[Ask], Awaitable[Answer | Fault]]
