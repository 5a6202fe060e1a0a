"""A mail server on loopback: aiosmtpd in a thread of its own, which takes, refuses or cuts."""

import asyncio
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import attrs
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

CUT = ""
"""The answer of a server that is gone."""


@attrs.frozen
class Arrived:
    """A mail that the server read to its end."""

    sender: str
    to: list[str]
    octets: bytes
    is_tls: bool
    login: str

    @property
    def mail(self) -> EmailMessage:
        """It, parsed."""
        return message_from_bytes(self.octets, policy=default)

    @property
    def text(self) -> str:
        """What it says."""
        return str(self.mail.get_content()).replace("\r\n", "\n").removesuffix("\n")


class MailServer:
    """One server; it can be stopped and started again on the same port.

    :param certificate: certificate and key, for STARTTLS.
    :param is_implicit: TLS from the first octet instead.
    :param logins: passwords by user; whoever does not log in may not send.
    :ivar answers: what is answered to the next commands, by "MAIL", "RCPT" and "DATA"; then 250.
    :ivar arrived: every mail that was read to its end, also those that were refused then.
    :ivar taken: those that were answered 250.
    """

    def __init__(
        self,
        certificate: tuple[Path, Path] | None = None,
        *,
        is_implicit: bool = False,
        logins: dict[str, str] | None = None,
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.answers: dict[str, list[str]] = defaultdict(list)
        self.arrived: list[Arrived] = []
        self.taken: list[Arrived] = []
        self.connections = 0
        self._logins = logins
        self._controller: _Controller | None = None
        context = None
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
        self._tls: dict[str, Any] = {}
        if context is not None:
            self._tls = (
                {"ssl_context": context}
                if is_implicit
                else {"tls_context": context, "require_starttls": True}
            )

    def start(self) -> None:
        """Listen."""
        login: dict[str, Any] = {}
        if self._logins is not None:
            login = {"auth_required": True, "authenticator": self._log_in}
        if "ssl_context" in self._tls:  # of this TLS aiosmtpd does not know
            login |= {"auth_required": False, "auth_require_tls": False}
        self._controller = _Controller(
            _Handler(self), hostname="127.0.0.1", port=self.port, **self._tls, **login
        )
        self._controller.start()
        self.connections = 0

    def stop(self) -> None:
        """End it, and every connection to it."""
        if self._controller is not None:
            self._controller.end()
            self._controller = None

    def _log_in(self, _server: Any, session: Any, _envelope: Any, _how: str, data: Any) -> Any:
        user, password = data.login.decode(), data.password.decode()
        session.user = user
        assert self._logins is not None
        return AuthResult(success=self._logins.get(user) == password, handled=False)

    def answer(self, command: str) -> str:
        """What is answered to this one."""
        waiting = self.answers[command]
        return waiting.pop(0) if waiting else "250 as you wish"


class _Handler:
    """aiosmtpd asks it about each step."""

    def __init__(self, house: MailServer) -> None:
        self._house = house

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self._answer(server, "MAIL")
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        answer = self._answer(server, "RCPT")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        arrived = Arrived(
            sender=envelope.mail_from,
            to=envelope.rcpt_tos,
            octets=envelope.original_content,
            is_tls=_is_tls(server),
            login=getattr(session, "user", ""),
        )
        answer = self._answer(server, "DATA")
        self._house.arrived.append(arrived)
        if answer.startswith("250"):
            self._house.taken.append(arrived)
        return answer

    def _answer(self, server: SMTP, command: str) -> str:
        answer = self._house.answer(command)
        if answer == CUT:
            _abort(server)
            return "250 said to nobody"
        return answer


class _Controller(Controller):
    """Knows its connections, so that it can end them."""

    def __init__(self, handler: _Handler, **settings: Any) -> None:
        super().__init__(handler, enable_SMTPUTF8=False, **settings)
        self._house = handler._house
        self._open: list[SMTP] = []

    def factory(self) -> SMTP:
        """A connection came."""
        self._house.connections += 1
        one = SMTP(self.handler, **self.SMTP_kwargs)
        self._open.append(one)
        return one

    def end(self) -> None:
        """Cut all connections, then stop listening."""
        self.loop.call_soon_threadsafe(self._cut)
        self.stop()

    def _cut(self) -> None:
        for one in self._open:
            _abort(one)


def _is_tls(connection: SMTP) -> bool:
    transport = connection.transport
    return transport is not None and transport.get_extra_info("ssl_object") is not None


def _abort(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()


Start = Callable[..., MailServer]
"""A fixture: a server that runs, with the arguments of `MailServer`."""
