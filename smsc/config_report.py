"""What `smsc check` prints for a good file: what would start.

*In*: a `Config`. *Out*: text for a terminal. *Never*: a password.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import attrs

from routing.actions import Do
from routing.loader import unreachable
from routing.rule import ANY_KEYWORD, Rule
from routing.when import When
from smsc.config import Config
from smsc.config_accounts import AccountConfig
from smsc.config_errors import Secret
from smsc.config_routing import FILE_SECTIONS
from smsc.directory.tariff import Tariff

_HINTS = 20
"""Hints shown; a generated rule file may earn thousands."""


def describe(config: Config) -> str:
    """Tables of listeners, accounts, outlets and routes, then hints about likely mistakes."""
    parts = [
        f"node {config.node.id}, data in {config.node.data_dir}",
        _listeners(config),
        _table(
            ("account", "binds", "window", "rate/s", "credit", "senders", "networks"),
            (_account(name, account) for name, account in config.accounts.items()),
        ),
        _directory(config),
        _table(
            ("outlet", "kind", "settings that differ from the default"),
            (
                (name, one.kind, _all_settings(one.settings, one.flow, one.flow.retry))
                for name, one in config.outlets.items()
            ),
        ),
        _table(
            ("route", "to", "accounts", "outlets", "when and do"),
            (
                (
                    rule.name or f"routes[{position}]",
                    _some(rule.to, "every number"),
                    _some(rule.accounts, "every account"),
                    _outlets(rule),
                    "; ".join((*_given(rule.when), *_given(rule.do))),
                )
                for position, rule in enumerate(config.routes)
            ),
        ),
        _table(
            ("from the network to", "keyword", "by", "account", "deliver"),
            (
                (
                    _some(rule.to, "every number"),
                    "any" if rule.keyword == ANY_KEYWORD else rule.keyword,
                    _some(rule.outlets, "every outlet"),
                    rule.account,
                    rule.callback or rule.deliver,
                )
                for rule in config.mo_routes
            ),
        ),
        _table(
            ("table or list", "file"),
            (
                (f"{section}.{name}", str(one.file))
                for section in FILE_SECTIONS
                for name, one in getattr(config.routing, section).items()
            ),
        ),
        _table(
            ("guard", "limit", "watches", "action"),
            (
                (
                    name,
                    f"{guard.limit} in {guard.window_s:g} s",
                    f"{_some(guard.accounts, 'every account')}, {_some(guard.to, 'every number')}",
                    guard.action,
                )
                for name, guard in config.routing.guards.items()
            ),
        ),
        "\n".join(f"note: {hint}" for hint in _hints(config)),
    ]
    return "\n\n".join(part for part in parts if part)


def _listeners(config: Config) -> str:
    smpp = ", ".join(map(str, config.smpp.listen)) or "off"
    if config.smpp.listen_tls:
        smpp += "; with TLS " + ", ".join(map(str, config.smpp.listen_tls))
    http = ", ".join(map(str, config.http.listen)) or "off"
    dialects = ", ".join(config.http.dialects) or "none"
    return f"SMPP  {smpp}\nHTTP  {http}, dialects besides the native API: {dialects}"


def _account(name: str, account: AccountConfig) -> tuple[str, ...]:
    return (
        f"{name} (admin)" if account.admin else name,
        _limit(account.max_binds),
        str(account.window),
        _limit(account.rate),
        _credit(account.credit),
        _some(account.senders, "none"),
        _some([str(network) for network in account.networks], "any"),
    )


def _directory(config: Config) -> str:
    """Prices, further accounts and the mail server, where there are any."""
    told = []
    tariff = config.tariff()
    if isinstance(tariff, Tariff) and tariff.table is not None:
        prices = f"{len(tariff.table)} prefixes in {config.credit.prices}"
        told.append(f"credit  {prices}, others {tariff.other.unit}; refund {config.credit.refund}")
    if config.ldap is not None:
        way = "tls" if config.ldap.tls or config.ldap.url.startswith("ldaps:") else "NO TLS"
        told.append(f"LDAP  {config.ldap.url}, {way}")
    if config.mail is not None:
        mail = config.mail
        way = "NO TLS" if mail.security == "none" else mail.security
        login = f", logs in as {mail.user}" if mail.user else ""
        told.append(f"mail  {mail.host}:{mail.port}, {way}{login}, from {mail.sender}")
    return "\n".join(told)


def _credit(credit: Mapping[str, Decimal] | None) -> str:
    if credit is None:
        return "unlimited"
    return ", ".join(f"{name} {amount}".strip() for name, amount in credit.items())


def _outlets(rule: Rule) -> str:
    """Where the rule leads, in one cell."""
    if rule.do.reject:
        return f"rejected, {rule.do.reject}"
    if rule.do.drop:
        return "dropped"
    if rule.goes_on:
        return "(goes on)"
    if rule.choose.by == "weight":
        weighed = zip(rule.outlets, rule.choose.weights, strict=True)
        return ", ".join(f"{outlet} {weight}" for outlet, weight in weighed) + " by weight"
    if rule.choose.by != "order":
        return f"{', '.join(rule.outlets)} by {rule.choose.by}"
    return " → ".join((f"table {rule.table}", *rule.outlets) if rule.table else rule.outlets)


def _given(part: When | Do) -> list[str]:
    """The keys that were given, as they are written."""
    shown = []
    for field in attrs.fields(type(part)):
        value = getattr(part, field.name)
        if value != field.default and field.name != "reject":
            plain = repr(value) if field.name in {"text", "footer"} else str(value)
            listed = ", ".join(map(str, value)) if isinstance(value, tuple) else plain
            shown.append(f"{field.name} {listed}")
    return shown


def _limit(value: float) -> str:
    return f"{value:g}" if value else "unlimited"


def _all_settings(*tables: Any) -> str:
    return ", ".join(setting for table in tables for setting in _settings(table))


def _settings(table: Any) -> Iterable[str]:
    for field in attrs.fields(type(table)):
        value = getattr(table, field.name)
        if (
            field.name != "kind"
            and value != _default(field)
            and not isinstance(value, Secret)
            and not attrs.has(type(value))
        ):
            yield f"{field.name}={value}"


def _default(field: "attrs.Attribute[Any]") -> object:
    factory = getattr(field.default, "factory", None)
    if factory is None:
        return field.default
    # A default computed from the instance cannot be told apart from a given value: show it.
    return attrs.NOTHING if getattr(field.default, "takes_self", False) else factory()


def _some(values: Sequence[str], when_empty: str, limit: int = 4) -> str:
    if len(values) <= limit:
        return ", ".join(values) or when_empty
    return f"{', '.join(values[:limit])} and {len(values) - limit} more"


def _hints(config: Config) -> Iterable[str]:
    """Yield what is legal but hardly meant."""
    if not config.smpp.listen and not config.http.listen:
        yield "nothing listens; give smpp.listen or http.listen"
    if not config.accounts:
        yield "there is no account, so nobody can send"
    if not config.routes:
        yield "there is no route, so every message is refused"
    if not config.http.listen:
        for name, outlet in config.outlets.items():
            if getattr(getattr(outlet.settings, "receipts_path", None), "value", ""):
                yield f"nothing serves receipts_path of outlet {name}; give http.listen"
    used = {outlet for rule in config.routes for outlet in rule.outlets}
    by_table = any(rule.table for rule in config.routes)
    for name in config.outlets:
        if name not in used and not by_table:
            yield f"no route uses outlet {name}"
    for position, earlier in unreachable(config.routes)[:_HINTS]:
        yield f"routes[{position}] never matches: routes[{earlier}] takes everything first"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns padded to their widest cell; "" without rows."""
    body = list(rows)
    if not body:
        return ""
    widths = [max(map(len, column)) for column in zip(heads, *body, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *body)
    )
