"""One connection to a mail server: smtplib in a worker thread, Trio here.

*In*: `[mail]`, mails as octets. *Out*: what the server said of each: it has it, not now, never;
or why it cannot be worked with. *Never*: dials again, keeps a mail; `mail` does both. Neither a
mail nor the password in a sentence: they hold the server's words alone.
"""

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

import attrs
import trio

from smsc.config_mail import MailConfig

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN: Final = 200
"""Characters of the server's words worth repeating."""
_CLOSING: Final = 421
"""The server ends the connection, whatever was asked (RFC 5321 §4.2.1)."""
_TOO_LARGE: Final = 552
"""The one verdict on MAIL FROM that is about the mail: it has more octets than SIZE allows."""


@attrs.frozen
class Taken:
    """The server has the mail."""


@attrs.frozen
class Later:
    """It does not take this mail now (4xx)."""

    why: str


@attrs.frozen
class Never:
    """It will not have this mail (5xx)."""

    why: str


@attrs.frozen
class Trouble:
    """The next mail would fare no better: no connection, no TLS, no login, a sender it refuses."""

    why: str
    is_cut: bool = False
    """The connection ended in the midst of a mail: perhaps because of it."""


Verdict = Taken | Later | Never | Trouble


class SmtpConnection:
    """Dial once, send many, and hang up or cut; one verb at a time."""

    def __init__(self, config: MailConfig) -> None:
        self.config = config
        self._limiter = trio.CapacityLimiter(1)
        self._smtp: smtplib.SMTP | None = None
        self._is_cut = False

    async def dial(self) -> Trouble | None:
        """Connect, do TLS and log in; the trouble if that does not work."""
        return await self._in_thread(self._dial)

    async def send(self, to: str, mail: bytes) -> Verdict:
        """Hand one mail over; after `Trouble` the connection is of no use any more."""
        return await self._in_thread(self._send, to, mail)

    async def hang_up(self) -> None:
        """End the connection with a goodbye."""
        await self._in_thread(self._quit)

    def cut(self) -> None:
        """End it now; a thread that waits for the server wakes up."""
        self._is_cut = True
        if self._smtp is None:
            return
        if not self._limiter.borrowed_tokens:
            self._smtp.close()
        elif self._smtp.sock is not None:
            with suppress(OSError):
                self._smtp.sock.shutdown(socket.SHUT_RDWR)

    async def _in_thread(self, ask: Callable[P, R], *args: P.args, **_: P.kwargs) -> R:
        return await trio.to_thread.run_sync(
            ask, *args, abandon_on_cancel=True, limiter=self._limiter
        )

    # --- in the worker thread --------------------------------------------------------------------

    def _dial(self) -> Trouble | None:
        try:
            self._smtp = _connected(self.config)
            if self._is_cut:  # the loop gave up while this thread was dialling
                self._smtp.close()
        except smtplib.SMTPResponseException as error:
            return Trouble(_words(error.smtp_code, error.smtp_error))
        except (OSError, ValueError) as error:  # smtplib's exceptions are OSErrors
            return Trouble(_sentence(error))
        return None

    def _send(self, to: str, mail: bytes) -> Verdict:
        assert self._smtp is not None
        try:
            self._smtp.sendmail(self.config.sender, [to], mail)
        except smtplib.SMTPSenderRefused as error:
            verdict = _verdict(error.smtp_code, error.smtp_error)
            is_of_mail = error.smtp_code == _TOO_LARGE
            return verdict if is_of_mail else Trouble(f"{self.config.sender}: {verdict.why}")
        except smtplib.SMTPRecipientsRefused as error:
            return _verdict(*error.recipients[to])
        except smtplib.SMTPResponseException as error:
            return _verdict(error.smtp_code, error.smtp_error)
        except OSError as error:
            return Trouble(_sentence(error), is_cut=True)
        return Taken()

    def _quit(self) -> None:
        if self._smtp is not None:
            with suppress(OSError):
                self._smtp.quit()
            self._smtp.close()


def _connected(config: MailConfig) -> smtplib.SMTP:
    """A connection that is ready for mails."""
    if config.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            config.host,
            config.port,
            local_hostname=config.domain,
            timeout=config.timeout_s,
            context=_context(config),
        )
    else:
        smtp = smtplib.SMTP(
            config.host, config.port, local_hostname=config.domain, timeout=config.timeout_s
        )
    try:
        if config.security == "starttls":
            smtp.starttls(context=_context(config))
        if config.user:
            smtp.login(config.user, config.password.value)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _context(config: MailConfig) -> ssl.SSLContext:
    """TLS 1.2 at least; the certificate and the name in it are checked."""
    return ssl.create_default_context(cafile=config.ca_file)


def _verdict(code: int, said: bytes | str) -> Later | Never | Trouble:
    words = _words(code, said)
    if code == _CLOSING or not 400 <= code < 600:
        return Trouble(words)
    return Later(words) if code < 500 else Never(words)


def _words(code: int, said: bytes | str) -> str:
    """The server's words in one printable line."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    line = " ".join(f"{code} {text}".split())
    return "".join(one if one.isprintable() else "?" for one in line)[:_SHOWN]


def _sentence(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "".join(one if one.isprintable() else "?" for one in text)[:_SHOWN]
