"""A Trio socket as anycorn wants to see it: an anyio byte stream whose writes end in time.

*In*: a `trio.SocketStream` that was accepted. *Out*: octets and anyio's exceptions.
*Never*: HTTP.

anycorn shields each send from cancellation, so a client that stops reading could keep the
server from stopping; here a send that takes longer than `write_s` breaks the connection.
"""

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import anyio.abc
import trio


class ClientStream(anyio.abc.ByteStream):
    """One accepted connection."""

    def __init__(self, stream: trio.SocketStream, write_s: float) -> None:
        self._stream = stream
        self._write_s = write_s

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The socket, by which anycorn learns both addresses."""
        return {anyio.abc.SocketAttribute.raw_socket: lambda: self._stream.socket}

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Octets, at least one; `anyio.EndOfStream` when the client has sent all."""
        try:
            data = await self._stream.receive_some(max_bytes)
        except trio.BrokenResourceError as error:
            raise anyio.BrokenResourceError from error
        except trio.ClosedResourceError as error:
            raise anyio.ClosedResourceError from error
        if not data:
            raise anyio.EndOfStream
        return bytes(data)

    async def send(self, item: bytes) -> None:
        """Send all octets; `anyio.BrokenResourceError` if the client does not take them in time."""
        try:
            with trio.fail_after(self._write_s):
                await self._stream.send_all(item)
        except (trio.BrokenResourceError, trio.TooSlowError) as error:
            self.close()
            raise anyio.BrokenResourceError from error
        except trio.ClosedResourceError as error:
            raise anyio.ClosedResourceError from error

    async def send_eof(self) -> None:
        """Tell the client that nothing follows."""
        try:
            await self._stream.send_eof()
        except trio.BrokenResourceError as error:
            raise anyio.BrokenResourceError from error
        except trio.BusyResourceError as error:
            raise anyio.BusyResourceError("sending on") from error
        except trio.ClosedResourceError as error:
            raise anyio.ClosedResourceError from error

    async def aclose(self) -> None:
        """Close the socket."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close the socket at once; whoever waits on it is told."""
        self._stream.socket.close()
