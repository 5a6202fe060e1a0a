"""ws_login of playSMS web services: a key opens the account page once, for ten minutes.

*In*: `Call`, parameters. *Out*: `Reply`. *Never*: HTML; see `dialects/playsms/account_page.py`.
Logins are in memory: a restart ends them, as does their time.

The redirect is the document's: it comes whatever became of the key. If the configuration names
another place to redirect to, that is where it leads, and nobody is logged in here.
"""

import secrets
from typing import Final

import attrs

from bridges.http.dialects.base import Reply
from bridges.http.dialects.playsms import account_page, dates, lists
from bridges.http.dialects.playsms.account_page import LOGIN_S, Glance
from bridges.http.dialects.playsms.accounts import plain
from bridges.http.dialects.playsms.config import PlaysmsConfig
from bridges.http.dialects.playsms.parameters import Parameters
from bridges.http.endpoint import Call
from smsc.message import AccountId
from smsc.ports import InboxQuery, MessageQuery, Profile

MAX_LOGINS: Final = 1000
"""More push out the oldest."""
_ROWS: Final = 10


@attrs.frozen
class _Login:
    account: AccountId
    uid: int
    """Of the account: one that is made anew under its name is another."""
    until_ms: int


class LoginDoor:
    """The key, the page, and who may see it."""

    def __init__(self, config: PlaysmsConfig) -> None:
        self._config = config
        self._logins: dict[str, _Login] = {}  # oldest first: all last equally long

    @property
    def has_page(self) -> bool:
        """Does the redirect lead to our own page?"""
        return not self._config.login_location

    async def enter(self, call: Call, asked: Parameters) -> Reply:
        """Use the key up, and send the browser on, whatever came of it."""
        directory = call.gateway.directory
        profile = directory.find(asked.get("u"))
        is_in = profile is not None and await directory.use_login_key(
            profile.account, asked.get("login_key")
        )
        if not self.has_page:
            return account_page.redirect(self._config.login_location)
        cookie = ""
        if is_in and profile is not None and self._may_look(call, profile.account):
            token = self._remember(
                _Login(profile.account, profile.uid, call.now_ms + LOGIN_S * 1000)
            )
            is_tls = call.headers.get("x-forwarded-proto", "").lower() == "https"
            cookie = account_page.cookie_of(token, self._config.path, is_tls=is_tls)
        return account_page.redirect(self._location, cookie)

    async def page(self, call: Call) -> Reply:
        """The account of whoever is logged in."""
        login = self._logins.get(account_page.token_of(call.headers.get("cookie", "")))
        profile = None if login is None else call.gateway.directory.profile(login.account)
        if (
            login is None
            or profile is None
            or profile.uid != login.uid
            or login.until_ms <= call.now_ms
            or not self._may_look(call, login.account)
        ):
            return account_page.stranger(self._location)
        return account_page.page(await _glance(call, profile))

    @property
    def _location(self) -> str:
        """The page as a browser finds it from web services, whatever stands before the path."""
        return self._config.path.rpartition("/")[2] or "./"

    def _may_look(self, call: Call, account: AccountId) -> bool:
        is_open = call.gateway.directory.is_open(account, call.peer)
        return is_open and account not in self._config.disabled

    def _remember(self, login: _Login) -> str:
        while len(self._logins) >= MAX_LOGINS:
            del self._logins[next(iter(self._logins))]
        token = secrets.token_urlsafe(32)
        self._logins[token] = login
        return token


async def _glance(call: Call, profile: Profile) -> Glance:
    gateway, account = call.gateway, profile.account
    balances, zone = gateway.credits.balances(account), dates.zone(profile.time_zone)
    sent = await gateway.lookup.reports(MessageQuery(account=account, limit=_ROWS))
    received = gateway.inbox.received(account, InboxQuery(limit=_ROWS))
    return Glance(
        account=account,
        name=profile.name,
        zone=profile.time_zone,
        credit=None
        if balances is None
        else {name or "all": plain(left) for name, left in balances.items()},
        sent=[lists.outgoing_row(one, zone) for one in sent.reports],
        received=[lists.received_row(one, zone) for one in received],
        inbox=gateway.inbox.count(account),
    )
