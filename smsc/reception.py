"""From an accepted connection to a client that may speak SMPP: limits, PROXY header, handshake.

*In*: listening sockets. *Out*: connected sockets with the address of whoever is behind them.
*Never*: a task that a stranger can keep for longer than the session_init timer; a connection
above a limit.

Station of the flow: (network) → **reception** → server. One task for each listener, and one for
each connection, which becomes the client's.
"""

import errno
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final

import trio

from smsc.config_accounts import in_networks
from smsc.config_fields import HostPort
from smsc.config_sections import SmppConfig
from smsc.proxy_protocol import HEAD_OCTETS, ProxyHeaderError, parse_head, parse_rest
from smsc.tls import Certificates, TlsFiles, handshake

_BACKLOG: Final = 1024
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_PAUSE_S: Final = 0.1

Serve = Callable[[socket.socket, str], Awaitable[None]]


class Reception:
    """Takes connections for a server.

    :param serve: serves one connection to its end: (socket, IP address of the client).
    :raises OSError: the certificates cannot be used.
    """

    def __init__(self, config: SmppConfig, serve: Serve, log: Any) -> None:
        self._config = config
        self._serve = serve
        self.log = log
        self._open = 0
        self._by_address: Counter[str] = Counter()
        self._certificates = certificates_of(config)

    async def accept(
        self, listener: trio.socket.SocketType, connections: trio.Nursery, *, is_tls: bool
    ) -> None:
        """Take connections until cancelled; each lives in `connections`."""
        with listener:
            while True:
                try:
                    stream, address = await listener.accept()
                except OSError as error:
                    if error.errno not in _OUT_OF_FILES:
                        continue  # the peer was gone before we could greet it
                    self.log.warning("accept.failed", why=error.strerror)
                    await trio.sleep(_ACCEPT_PAUSE_S)
                    continue
                sock = socket.socket(fileno=stream.detach())
                most = self._config.max_connections
                if most and self._open >= most:
                    self.log.warning("connection.refused", peer=address[0], why="too many")
                    sock.close()
                    continue
                self._open += 1
                connections.start_soon(self._receive, sock, address[0], is_tls)

    def take_config(self, config: SmppConfig, certificates: Certificates | None) -> None:
        """Greet new connections by these; `certificates` are those of `config`."""
        self._config = config
        self._certificates = certificates

    def reload_certificates(self, *, is_asked: bool = False) -> None:
        """Use changed certificate files for new handshakes; if asked, look whatever their dates."""
        if self._certificates is None:
            return
        try:
            if is_asked:
                self._certificates.reload()
            elif not self._certificates.reload_if_changed():
                return
        except OSError as error:
            # A warning without a traceback: the files are at fault, not we.
            self.log.warning("tls.not_reloaded", why=str(error))
        else:
            self.log.info("tls.reloaded")

    # --- helpers -------------------------------------------------------------------------------

    async def _receive(self, sock: socket.socket, peer: str, is_tls: bool) -> None:
        """Greet one connection, count it for its address, and have it served."""
        try:
            greeted = await self._greet(sock, peer, is_tls)
            if greeted is not None:
                sock, peer = greeted
                await self._serve_counted(sock, peer)
        except Exception:
            # A bug met while one connection is greeted must not end the others.
            self.log.exception("session.crashed", peer=peer)
        finally:
            self._open -= 1
            sock.close()

    async def _serve_counted(self, sock: socket.socket, peer: str) -> None:
        most = self._config.max_connections_per_address
        if most and self._by_address[peer] >= most:
            why = "too many from this address"
            self.log.warning("connection.refused", peer=peer, why=why)
            return
        self._by_address[peer] += 1
        try:
            await self._serve(sock, peer)
        finally:
            self._by_address[peer] -= 1
            if not self._by_address[peer]:
                del self._by_address[peer]

    async def _greet(
        self, sock: socket.socket, peer: str, is_tls: bool
    ) -> tuple[socket.socket, str] | None:
        """What comes before SMPP; None if it does not come right, or not in time."""
        is_proxy = bool(self._config.proxy_networks) and in_networks(
            self._config.proxy_networks, peer
        )
        if not is_tls and not is_proxy:
            return sock, peer
        sock.setblocking(False)
        with trio.move_on_after(self._config.session_init_s):
            try:
                if is_proxy:
                    peer = await _client_behind(sock) or peer
                if is_tls:
                    assert self._certificates is not None
                    sock = await handshake(sock, self._certificates.context)
            except (ProxyHeaderError, EOFError) as error:
                self.log.warning("proxy.refused", peer=peer, why=str(error))
            except ssl.SSLError as error:
                self.log.warning("tls.failed", peer=peer, why=error.reason or str(error))
            except OSError as error:
                self.log.info("tls.failed", peer=peer, why=error.strerror)
            else:
                return sock, peer
        return None


def certificates_of(config: SmppConfig) -> Certificates | None:
    """Those of the TLS listener, read now; None without one.

    :raises OSError: they cannot be used.
    """
    files = TlsFiles.of(config)
    return Certificates(files) if files is not None else None


async def _client_behind(sock: socket.socket) -> str | None:
    """Read the PROXY header, and no octet more."""
    head = parse_head(await _read_exactly(sock, HEAD_OCTETS))
    return parse_rest(head, await _read_exactly(sock, head.rest_octets))


async def _read_exactly(sock: socket.socket, octets: int) -> bytes:
    data = b""
    while len(data) < octets:
        try:
            piece = sock.recv(octets - len(data))
        except BlockingIOError:
            await trio.lowlevel.wait_readable(sock)
            continue
        if not piece:
            raise EOFError("the connection ended within the PROXY header")
        data += piece
    return data


async def open_listener(host: str, port: int) -> trio.socket.SocketType:
    """A bound, listening TCP socket.

    :raises OSError: the address is taken, or not ours; the sentence names it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        await sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"cannot listen on {HostPort(host, port)}: {error.strerror}"
        ) from error
    except BaseException:
        sock.close()
        raise
    return sock
