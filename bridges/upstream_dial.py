"""Connecting to a carrier: which host next, from which address, with which proof of identity.

*In*: `[outlets.NAME]`, successes and failures. *Out*: a connected socket, in TLS if asked.
*Never*: two sockets at a time: a host's addresses are tried one after the other, because a
carrier counts a half-open connection as a bind; TLS below 1.2.
"""

import socket
import ssl
from typing import Final

import trio

from bridges.upstream_config import UpstreamConfig
from smsc.config_fields import HostPort
from smsc.tls import TlsSocket, handshake, no_passphrase

CONNECT_S: Final = 10.0


class Dialler:
    """The hosts of one bind, in its order.

    :param number: of the bind, from 1: binds that share the hosts begin at different ones, and
        the two of a pair at the same one.
    """

    def __init__(self, config: UpstreamConfig, number: int) -> None:
        hosts = config.addresses
        place = (number - 1) // (2 if config.bind == "pair" else 1)
        first = place % len(hosts) if config.spread == "share" else 0
        self._config = config
        self._hosts = hosts[first:] + hosts[:first]
        self._at = 0

    @property
    def host(self) -> HostPort:
        """Whom `connect` calls."""
        return self._hosts[self._at]

    def succeeded(self) -> None:
        """The host is good: after its end the first one is called again."""
        self._at = 0

    def failed(self) -> bool:
        """Go on with the next host; True when all were tried."""
        self._at = (self._at + 1) % len(self._hosts)
        return not self._at

    async def connect(self) -> socket.socket:
        """A connection to `host`.

        :raises OSError: there is none; ssl.SSLError is one, trio.TooSlowError is not.
        """
        with trio.fail_after(CONNECT_S):
            if not self._config.tls:
                return await open_socket(self.host, self._config.source)
            name = self._config.tls_server_name or self.host.host
            context = client_context(self._config)
            try:  # an SSLSocket that cannot ask for a name forgets to close itself
                context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
            except (ValueError, TypeError) as error:  # UnicodeError, or a NUL
                setting = "tls_server_name" if self._config.tls_server_name else "host"
                raise _no_name(name, setting) from error
            sock = await open_socket(self.host, self._config.source)
            return await handshake(sock, context, name)


async def open_socket(where: HostPort, source: str = "") -> socket.socket:
    """A TCP connection, non-blocking, from the address `source` if one is given.

    :raises OSError: no address of the host answers.
    """
    try:
        found = await trio.socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except ValueError as error:  # UnicodeError is one: IDNA knows no such name
        raise _no_name(where.host, "host") from error
    failure = OSError(f"{where.host} has no address")
    for family, kind, protocol, _, address in found:
        sock = trio.socket.socket(family, kind, protocol)
        try:
            if source:
                await sock.bind((source, 0))
            await sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            connected = socket.socket(fileno=sock.detach())
            connected.setblocking(False)
            return connected
    raise failure


def _no_name(name: str, setting: str) -> OSError:
    return OSError(f"{name!r} is not the name of a host: correct {setting}")


def client_context(config: UpstreamConfig) -> ssl.SSLContext:
    """The files are read for each connection: a renewed certificate needs no restart.

    :raises OSError: a file cannot be read, or does not fit the others.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A renegotiation would make a write wait for a read, which the link does not know.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.sslsocket_class = TlsSocket
    if not config.tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif config.tls_ca is not None:
        context.load_verify_locations(config.tls_ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if config.tls_cert is not None:
        context.load_cert_chain(config.tls_cert, config.tls_key, password=no_passphrase)
    return context
