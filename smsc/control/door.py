"""The control door: a Unix socket in the data directory, for whoever may write there.

*In*: lines of JSON, {"verb": …, "arguments": {…}}. *Out*: one line of JSON for each:
{"ok": true, "value": …} or {"ok": false, "why": [sentences]}.
*Never*: anybody but the owner of the gateway (mode 0600); more than `CONNECTIONS` at a time, a
line longer than `LINE_OCTETS`, a client that says nothing for longer than `IDLE_S`; arguments in
the log: they may hold a password. A gateway without its door goes on: it says so in the log.

The store keeps its directory locked, so a socket found there is a dead gateway's.
"""

import json
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import trio

from smsc.control.socket_path import SOCKET_NAME, socket_path
from smsc.control.verbs import Answer, Declined, Told, Verbs

LINE_OCTETS: Final = 256 * 1024
CONNECTIONS: Final = 16
IDLE_S: Final = 30.0
_ANSWER_S: Final = 10.0
"""How long a client may take to read an answer."""
_LAST_WORDS_S: Final = 1.0
_BACKLOG: Final = 16
_MODE: Final = 0o600
_READ: Final = 16 * 1024
_CREDENTIALS: Final = struct.Struct("3i")
"""pid, uid, gid: what Linux tells of the peer of a Unix socket."""


class Door:
    """See the module."""

    def __init__(self, data_dir: Path, verbs: Verbs, log: Any) -> None:
        self._data_dir = data_dir
        self._verbs = verbs
        self._log = log
        self._open = 0

    async def serve(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Answer until cancelled."""
        try:
            listener = _listen(self._data_dir)
        except OSError as error:
            self._log.warning("control.closed", why=f"{self._data_dir}: {error.strerror or error}")
            task_status.started()
            return
        mine = _inode(self._data_dir)
        task_status.started()
        try:
            await trio.serve_listeners(
                self._receive, [trio.SocketListener(trio.socket.from_stdlib_socket(listener))]
            )
        finally:
            _remove(self._data_dir, mine)

    async def _receive(self, stream: trio.SocketStream) -> None:
        """One connection to its end; whatever happens on it ends nothing else."""
        self._open += 1
        try:
            async with stream:
                if self._open > CONNECTIONS:
                    await _turn_away(stream, "too many talk to the gateway at once")
                else:
                    await self._converse(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it did not wait for its answer
        except Exception:  # noqa: BLE001 - logged here
            # A bug met in one conversation must not end the others; the log holds the traceback.
            self._log.exception("control.crashed")
        finally:
            self._open -= 1

    async def _converse(self, stream: trio.SocketStream) -> None:
        asker = _user_of(stream)
        unread = b""
        while True:
            with trio.move_on_after(IDLE_S) as silence:
                while b"\n" not in unread and len(unread) <= LINE_OCTETS:
                    octets = await stream.receive_some(_READ)
                    if not octets:
                        return
                    unread += octets
            if silence.cancelled_caught:
                return
            line, newline, unread = unread.partition(b"\n")
            if not newline or len(line) > LINE_OCTETS:
                await _turn_away(stream, f"a line is longer than {LINE_OCTETS} octets")
                return
            if not await _send(stream, await self._answer(line, asker)):
                return

    async def _answer(self, line: bytes, asker: int) -> Answer:
        asked = _parse(line)
        if isinstance(asked, Declined):
            return asked
        verb, arguments = asked
        answer = await self._verbs.ask(verb, arguments)
        self._log.info("control.asked", verb=verb, uid=asker, done=isinstance(answer, Told))
        return answer


def _parse(line: bytes) -> tuple[str, dict[str, Any]] | Declined:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        return Declined(("the line is not JSON",))
    if not isinstance(asked, dict):
        return Declined(("the line is not a JSON object",))
    verb, arguments = asked.get("verb"), asked.get("arguments", {})
    if not isinstance(verb, str) or not isinstance(arguments, dict):
        return Declined(('expected {"verb": "…", "arguments": {…}}',))
    return verb, arguments


async def _send(stream: trio.SocketStream, answer: Answer) -> bool:
    """Give an answer; False if the client is too slow to be worth waiting for."""
    match answer:
        case Told(value):
            told: dict[str, object] = {"ok": True, "value": value}
        case Declined(why):
            told = {"ok": False, "why": list(why)}
    with trio.move_on_after(_ANSWER_S) as patience:
        await stream.send_all(json.dumps(told, default=str).encode() + b"\n")
    return not patience.cancelled_caught


async def _turn_away(stream: trio.SocketStream, why: str) -> None:
    """Say why, and end: what was not read yet would take the answer with it."""
    if await _send(stream, Declined((why,))):
        await stream.send_eof()
        with trio.move_on_after(_LAST_WORDS_S):
            while await stream.receive_some(_READ):
                pass


def _listen(data_dir: Path) -> socket.socket:
    """A listening socket that only its owner can connect to.

    :raises OSError: there can be none in this directory.
    """
    (data_dir / SOCKET_NAME).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with socket_path(data_dir) as path:
            listener.bind(path)
        # Nobody can connect before `listen`, so nobody comes between.
        os.chmod(data_dir / SOCKET_NAME, _MODE)  # noqa: PTH101 - one line, and no wait
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _inode(data_dir: Path) -> int:
    return (data_dir / SOCKET_NAME).stat().st_ino


def _remove(data_dir: Path, inode: int) -> None:
    """Take our socket away, unless another one stands in its place."""
    with suppress(OSError):  # the directory may be gone
        if _inode(data_dir) == inode:
            (data_dir / SOCKET_NAME).unlink()


def _user_of(stream: trio.SocketStream) -> int:
    """The uid of whoever asks, for the log; -1 where the operating system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1
    told = stream.socket.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(told)[1])
