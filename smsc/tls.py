"""TLS on the SMPP listener: sockets that the link drives like plain ones, and their certificates.

*In*: accepted sockets; certificate, key and CA files. *Out*: `TlsSocket`s after the handshake.
*Never*: TLS below 1.2; a session dropped because certificates changed; blocks the loop but for
the arithmetic of a handshake.

A `TlsSocket` is a socket: `recv` and `send` raise BlockingIOError when they would wait, so the
one driver in `link` serves it unchanged, and plain connections pay nothing for it. OpenSSL reads
one record at a time and `recv` takes it whole, so nothing lies decrypted while the link waits for
the socket to become readable.
"""

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs
import trio

from smsc.config_sections import SmppConfig

_VERIFY: Final = {
    "none": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


class TlsSocket(ssl.SSLSocket):
    """A non-blocking TLS socket with the manners of a plain one."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Octets of at most one record; b"" at the end."""
        try:
            return super().recv(buflen, flags)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise BlockingIOError from None

    def send(self, data: Any, flags: int = 0) -> int:
        """Octets taken, as many records as the socket takes.

        What was not taken must be given again at the start of the next call, as the link does.
        """
        view = memoryview(data)
        sent = 0
        while sent < len(view):
            try:
                sent += super().send(view[sent:], flags)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if not sent:
                    raise BlockingIOError from None
                break
        return sent

    def shutdown(self, how: int) -> None:
        """Say goodbye in TLS too, so that the peer can tell it from a cut."""
        with suppress(OSError, ValueError):
            self.unwrap()
        super().shutdown(how)


@attrs.frozen
class TlsFiles:
    """What a TLS listener is made of."""

    cert: Path
    key: Path
    ca: Path | None
    client_certificates: str

    @classmethod
    def of(cls, config: SmppConfig) -> "TlsFiles | None":
        """Those of the configuration; None without a TLS listener."""
        if not config.listen_tls or config.tls_cert is None or config.tls_key is None:
            return None
        return cls(config.tls_cert, config.tls_key, config.tls_ca, config.tls_client_certificates)

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Changes when a file does.

        :raises OSError: a file is not there.
        """
        files = [self.cert, self.key, *([self.ca] if self.ca is not None else [])]
        seen = [file.stat() for file in files]
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in seen)

    def context(self) -> ssl.SSLContext:
        """Read the files.

        :raises OSError: one cannot be read, or does not fit the others; ssl.SSLError is one.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A renegotiation would make a write wait for a read, which the link does not know.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.sslsocket_class = TlsSocket
        context.load_cert_chain(self.cert, self.key, password=no_passphrase)
        if self.ca is not None:
            context.load_verify_locations(self.ca)
        context.verify_mode = _VERIFY[self.client_certificates]
        return context


class Certificates:
    """The context that new handshakes use; earlier sessions keep theirs.

    :raises OSError: at start, when the files cannot be used.
    """

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._stamp = files.stamp()
        self.context = files.context()

    def reload_if_changed(self) -> bool:
        """Read the files again if one is another; True if it was.

        :raises OSError: they do not fit together (yet), or one is missing; what was there goes on.
        """
        stamp = self._files.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.context = self._files.context()
        return True

    def reload(self) -> None:
        """Read the files again.

        :raises OSError: they do not fit together; what was there goes on.
        """
        self._stamp = self._files.stamp()
        self.context = self._files.context()


async def handshake(
    sock: socket.socket, context: ssl.SSLContext, server_name: str | None = None
) -> ssl.SSLSocket:
    """Greet a TLS client on a non-blocking socket, which belongs to the result from then on.

    :param server_name: we are the client, and greet the server of this name.
    :raises OSError: the peer and we found no way to talk; ssl.SSLError is one.
    """
    wrapped = context.wrap_socket(
        sock,
        server_side=server_name is None,
        server_hostname=server_name,
        do_handshake_on_connect=False,
    )
    try:
        while True:
            try:
                wrapped.do_handshake()
            except ssl.SSLWantReadError:
                await trio.lowlevel.wait_readable(wrapped)
            except ssl.SSLWantWriteError:
                await trio.lowlevel.wait_writable(wrapped)
            else:
                return wrapped
    except BaseException:
        wrapped.close()
        raise


def no_passphrase() -> str:
    """For `load_cert_chain`: else OpenSSL asks the terminal, and everything waits for that.

    :raises OSError: always.
    """
    raise OSError("the key in tls_key has a passphrase; give one without, as in openssl pkey")
