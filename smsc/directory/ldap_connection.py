"""bonsai's connection for Trio, with a way to wait that cannot miss an answer.

*In*: a message id of libldap. *Out*: its result. *Never*: a wait for the socket alone.

bonsai 1.5 waits for octets first and looks for the result then. An answer that libldap has read
already is never found so, if nothing more comes. This one looks first, and again every `_LOOK_S`.
"""

from typing import Any, Final

import bonsai
import trio
from bonsai.trio import TrioLDAPConnection

_LOOK_S: Final = 0.01


class LdapConnection(TrioLDAPConnection):
    """See the module."""

    async def _poll(self, msg_id: int, timeout: float | None = None) -> Any:  # noqa: ASYNC109 - bonsai's
        with trio.move_on_after(float("inf") if timeout is None else timeout):
            while True:
                result = super(TrioLDAPConnection, self).get_result(msg_id)
                if result is not None:
                    return result
                with trio.move_on_after(_LOOK_S):
                    await trio.lowlevel.wait_readable(self)
        raise bonsai.errors.TimeoutError("it did not answer in time")
