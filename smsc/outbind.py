"""Outbind: the gateway dials an account for which deliveries wait while it is not bound.

*In*: the account's address, a look at its mailbox and its bindings.
*Out*: a connection on which the account may bind; the server serves it as any other.
*Never*: dials while a receiver is bound, or while nothing waits.

One task for each account that gave an address. SMPP 3.4 §2.2.1, §4.1.7.
"""

import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import trio

from smsc.config_accounts import OutbindConfig
from smsc.message import AccountId

_LOOK_S: Final = 1.0
_FIRST_S: Final = 2.0
_CEILING_S: Final = 300.0
_CONNECT_S: Final = 10.0
_DOUBLINGS: Final = 16


@attrs.frozen
class Outbind:
    """Dials one account.

    :ivar is_wanted: do deliveries wait, and is nobody there to take them?
    :ivar serve: serves the connection to its end: (socket, address, account, our outbind);
        True if the account bound.
    """

    account: AccountId
    config: OutbindConfig
    is_wanted: Callable[[], bool]
    serve: Callable[[socket.socket, str, AccountId, OutbindConfig], Awaitable[bool]]
    log: Any
    draw: random.Random = attrs.field(factory=random.Random)

    async def run(self) -> None:
        """Look, dial, and wait longer after each failure; until cancelled."""
        failures = 0
        while True:
            await trio.sleep(_LOOK_S)
            if not self.is_wanted():
                failures = 0
                continue
            if await self._dial():
                failures = 0
                continue
            delay_s = min(_CEILING_S, _FIRST_S * 2.0 ** min(failures, _DOUBLINGS))
            failures += 1
            await trio.sleep(delay_s * (0.5 + 0.5 * self.draw.random()))

    async def _dial(self) -> bool:
        """One connection, from dialling to its end; True if the account bound."""
        host, port = self.config.host, self.config.port
        try:
            with trio.fail_after(_CONNECT_S):
                stream = await trio.open_tcp_stream(host, port)
        except (OSError, UnicodeError, trio.TooSlowError) as error:  # Unicode: no name of a host
            why = str(error) or f"no answer within {_CONNECT_S:g} s"
            self.log.warning("outbind.failed", account=self.account, host=host, port=port, why=why)
            return False
        self.log.info("outbind.dialled", account=self.account, host=host, port=port)
        peer = stream.socket.getpeername()[0]
        sock = socket.socket(fileno=stream.socket.detach())
        if await self.serve(sock, peer, self.account, self.config):
            return True
        why = "the account did not bind"
        self.log.warning("outbind.failed", account=self.account, host=host, port=port, why=why)
        return False
