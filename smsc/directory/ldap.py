"""Passwords that a directory server knows: LDAP, natively on Trio.

*In*: a name, a password. *Out*: `Right` with attributes, `Wrong`, or `Unavailable`.
*Never*: blocks the loop; asks longer than `timeout_s`; keeps a password: a keyed digest, under a
key that dies with the process; takes an empty password, with which LDAP servers let anybody in
(RFC 4513 §5.1.2).

A password that was right passes for `cache_s` without asking, and for `offline_s` while the
server does not answer. A wrong one is always asked.
"""

import hmac
import os
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import attrs
import trio

from smsc.config_ldap import PLACE, LdapConfig
from smsc.directory.ldap_tunnel import tunnel
from smsc.message import AccountId

REMEMBERED: Final = 100_000
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]")


@attrs.frozen
class Right:
    """It is the password."""

    attributes: Mapping[str, str] | None = None
    """Fields of the profile by what the entry says; None if the server was not asked."""


@attrs.frozen
class Wrong:
    """It is not, or there is no such entry."""


@attrs.frozen
class Unavailable:
    """Nobody can tell now."""

    why: str


Verdict = Right | Wrong | Unavailable


@attrs.define(slots=True)
class _Known:
    """A password that was right."""

    digest: bytes
    at: float


class Ldap:
    """The server, and what it said lately."""

    def __init__(self, config: LdapConfig, log: Any) -> None:
        self._config = config
        self._log = log
        self._key = os.urandom(32)
        self._known: dict[AccountId, _Known] = {}
        self._limiter = trio.CapacityLimiter(config.connections)
        self._is_down = False
        self._context = _context_of(config)

    async def verify(self, name: AccountId, password: str) -> Verdict:
        """Is it the password of the entry that the name means?"""
        if not password or "\0" in password:
            return Wrong()
        digest = hmac.digest(self._key, f"{name}\0{password}".encode(errors="replace"), "sha256")
        age_s = self._age_s(name, digest)
        if age_s < self._config.cache_s:
            return Right()
        verdict = await self._ask(name, password)
        match verdict:
            case Right():
                self._remember(name, digest)
            case Wrong():
                self._forget(name, digest)
            case Unavailable():
                if age_s < self._config.offline_s:
                    return Right()
        return verdict

    # --- helpers -------------------------------------------------------------------------------

    def _age_s(self, name: AccountId, digest: bytes) -> float:
        known = self._known.get(name)
        if known is None or not hmac.compare_digest(known.digest, digest):
            return float("inf")
        return trio.current_time() - known.at

    def _remember(self, name: AccountId, digest: bytes) -> None:
        self._known.pop(name, None)
        self._known[name] = _Known(digest, trio.current_time())
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]

    def _forget(self, name: AccountId, digest: bytes) -> None:
        """The server says no: what it said before counts no more. A guess changes nothing."""
        known = self._known.get(name)
        if known is not None and hmac.compare_digest(known.digest, digest):
            del self._known[name]

    async def _ask(self, name: AccountId, password: str) -> Verdict:
        import bonsai

        why = f"the LDAP server did not answer within {self._config.timeout_s:g} s"
        verdict: Verdict = Unavailable(why)
        with trio.move_on_after(self._config.timeout_s):
            async with self._limiter:
                try:
                    verdict = await self._bind(name, password)
                except (bonsai.LDAPError, OSError) as error:
                    verdict = Unavailable(f"the LDAP server cannot be asked: {error}")
        is_down = isinstance(verdict, Unavailable)
        if is_down != self._is_down:
            self._is_down = is_down
            if isinstance(verdict, Unavailable):
                self._log.error("ldap.unavailable", url=self._config.url, why=verdict.why)
            else:
                self._log.info("ldap.available", url=self._config.url)
        return verdict

    async def _bind(self, name: AccountId, password: str) -> Verdict:
        import bonsai

        config = self._config
        dn = config.bind_dn.replace(PLACE, escaped(name)) or await self._found_dn(name)
        if dn is None:
            return Wrong()
        try:
            async with self._connect(dn, password) as connection:
                wanted = list(dict.fromkeys(config.attributes.values()))
                entries = (
                    await connection.search(dn, bonsai.LDAPSearchScope.BASE, attrlist=wanted)
                    if wanted
                    else []
                )
        except (
            bonsai.AuthenticationError,
            bonsai.errors.InvalidDN,
            bonsai.NoSuchObjectError,
            bonsai.errors.UnwillingToPerform,
        ):
            return Wrong()
        return Right(self._fields(entries[0]) if entries else {})

    def _fields(self, entry: Any) -> Mapping[str, str]:
        return {
            field: entry[attribute][0].decode(errors="replace")
            for field, attribute in self._config.attributes.items()
            if entry.get(attribute)
        }

    async def _found_dn(self, name: AccountId) -> str | None:
        """The one entry that the filter finds."""
        import bonsai

        config = self._config
        filter_ = config.search_filter.replace(PLACE, escaped(name))
        secret = config.search_password.value
        async with self._connect(config.search_dn, secret) as connection:
            found = await connection.search(
                config.search_base, bonsai.LDAPSearchScope.SUBTREE, filter_, ["1.1"], sizelimit=2
            )
        return str(found[0].dn) if len(found) == 1 else None

    @asynccontextmanager
    async def _connect(self, dn: str, password: str) -> AsyncIterator[Any]:
        """A connection that is bound as the entry; closed at the end, however far it came."""
        import bonsai

        from smsc.directory.ldap_connection import LdapConnection

        async with tunnel(self._config.url, self._context) as url:
            client = bonsai.LDAPClient(url)
            client.set_async_connection_class(LdapConnection)
            # As octets: bonsai makes numbers of texts that look like some, +4179… among them.
            client.set_raw_attributes(list(dict.fromkeys(self._config.attributes.values())))
            if dn:
                client.set_credentials("SIMPLE", user=dn, password=password)
            # Its own time limit ends the connection; ours, around it, is the promise.
            connection = client.connect(is_async=True, timeout=self._config.timeout_s)
            try:
                await connection
                yield connection
            finally:
                with suppress(bonsai.errors.ClosedConnection):
                    connection.close()


def escaped(text: str) -> str:
    """As a value in a DN (RFC 4514 §2.4) or in a filter (RFC 4515 §3): both take hex pairs."""
    return "".join(
        one if _PLAIN.fullmatch(one) else "".join(f"\\{octet:02x}" for octet in one.encode())
        for one in text
    )


def _context_of(config: LdapConfig) -> ssl.SSLContext | None:
    """What the server's certificate is checked with; None without TLS.

    :raises OSError: the file of certificates cannot be used.
    """
    if config.url.startswith("ldapi:") or not (config.tls or config.url.startswith("ldaps:")):
        return None
    return ssl.create_default_context(cafile=config.ca_file and str(config.ca_file))
