"""HOT: a carrier of next to no cost: takes submit_sm, names ids, sends a receipt for each.

    python -m bench.carrier          # prints the port it listens on, lives until standard input ends

*In*: binds of any kind and submit_sm. *Out*: responses, and DELIVRD receipts in the same write.
*Never*: a message kept; a check of what a peer sends; more than `_WINDOW` deliver_sm unanswered.

So a measurement of a gateway is not one of the network behind it, which shares the machine.
"""

import selectors
import socket
import sys
from collections import deque
from contextlib import suppress
from struct import Struct
from typing import Final

from pdu.commands import BINDS, RESPONSE, Command
from pdu.framer import Framer

_WINDOW: Final = 1000
_READ_OCTETS: Final = 1 << 18
# service_type, two addresses, esm_class 4 (receipt); then eight empty or zero fields (§4.6.1).
_FIELDS: Final = b"\0\1\1load\0\1\1bench\0\4" + bytes(8)
_TEXT: Final = (
    b"id:%b sub:001 dlvrd:001 submit date:2611280700 done date:2611280700 "
    b"stat:DELIVRD err:000 text:"
)
_SUBMIT_SM: Final = int(Command.SUBMIT_SM)
_SUBMIT_SM_RESP: Final = int(Command.SUBMIT_SM_RESP)
_DELIVER_SM: Final = int(Command.DELIVER_SM)
_DELIVER_SM_RESP: Final = int(Command.DELIVER_SM_RESP)
_head: Final = Struct(">IIII").pack


class _Peer:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._framer = Framer()
        self._receipts: deque[bytes] = deque()
        self._unanswered = 0
        self._sequence = 0
        self._unsent = b""

    def read(self, ids: "_Ids") -> bool:
        """Digest what has come; False when the peer is gone."""
        data = self._sock.recv(_READ_OCTETS)
        if not data:
            return False
        out = [self._unsent]
        for command_id, _, number, _ in self._framer.feed(data):
            if command_id == _SUBMIT_SM:
                id_ = ids.next()
                out.append(_head(17 + len(id_), _SUBMIT_SM_RESP, 0, number) + id_ + b"\0")
                text = _TEXT % id_
                self._receipts.append(b"%b%c%b" % (_FIELDS, len(text), text))
            elif command_id == _DELIVER_SM_RESP:
                self._unanswered -= 1
            elif command_id < RESPONSE:
                body = b"bench\0" if command_id in BINDS else b""
                out.append(_head(16 + len(body), command_id | RESPONSE, 0, number) + body)
        while self._receipts and self._unanswered < _WINDOW:
            body = self._receipts.popleft()
            self._unanswered += 1
            self._sequence = (self._sequence + 1) & 0x7FFFFFFF or 1
            out.append(_head(16 + len(body), _DELIVER_SM, 0, self._sequence) + body)
        self._unsent = b"".join(out)
        self.write()
        return True

    @property
    def is_blocked(self) -> bool:
        """Did the socket not take everything?"""
        return bool(self._unsent)

    def write(self) -> None:
        """Send what the socket takes."""
        with suppress(BlockingIOError):
            self._unsent = self._unsent[self._sock.send(self._unsent) :]


class _Ids:
    """message_ids, one after the other."""

    def __init__(self) -> None:
        self._last = 10**9

    def next(self) -> bytes:
        """The next one."""
        self._last += 1
        return b"%d" % self._last


def main() -> None:
    """Serve until standard input ends."""
    ids = _Ids()
    with socket.create_server(("127.0.0.1", 0)) as listener, selectors.DefaultSelector() as ready:
        print(listener.getsockname()[1], flush=True)
        ready.register(listener, selectors.EVENT_READ)
        ready.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, mask in ready.select():
                if key.fileobj is sys.stdin:
                    return
                if key.fileobj is listener:
                    sock, _ = listener.accept()
                    sock.setblocking(False)
                    ready.register(sock, selectors.EVENT_READ, _Peer(sock))
                else:
                    _serve(ready, key, mask, ids)


def _serve(ready: selectors.BaseSelector, key: selectors.SelectorKey, mask: int, ids: _Ids) -> None:
    peer = key.data
    if mask & selectors.EVENT_WRITE:
        peer.write()
    elif not peer.read(ids):
        ready.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr] # a socket, see `main`
        return
    wanted = selectors.EVENT_WRITE if peer.is_blocked else selectors.EVENT_READ
    if wanted != key.events:
        ready.modify(key.fileobj, wanted, peer)


if __name__ == "__main__":
    main()
