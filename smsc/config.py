"""The configuration: one TOML file in, one frozen value out, or all that is wrong with it.

*In*: the file or its text, the kinds of outlets this build knows, the environment.
*Out*: `Config`, checked across sections and with routing tables built, or a list of
`ConfigError`: every mistake at once, each naming its key.
*Never*: starts anything, changes anything, raises for a bad file.
Sections are in `config_sections`, those of routing in `config_routing`, how a value is read in `config_fields`, what
is said about mistakes in `config_errors`, what `smsc check` prints for a good file in
`config_report`.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from pdu.address import Address, destination_fault, guess_destination
from routing.loader import RoutingConfig, build
from routing.mo import MoTable
from routing.prefix_csv import CsvError, Rate
from routing.rule import MoRule, Rule
from routing.table import RoutingTable
from routing.velocity import Velocity
from smsc.config_accounts import (
    INHERITED,
    AccountConfig,
    account_name_fault,
    read_account,
)
from smsc.config_errors import ConfigError, found, key_of, unknown_key
from smsc.config_fields import Reader
from smsc.config_flow import OutletFlowConfig
from smsc.config_ldap import LdapConfig
from smsc.config_mail import MailConfig
from smsc.config_routing import FILE_SECTIONS, ROUTING_SECTIONS, read_routing, written
from smsc.config_sections import (
    CreditConfig,
    HttpConfig,
    InboxConfig,
    LogConfig,
    NodeConfig,
    SmppConfig,
    StoreConfig,
)
from smsc.directory.tariff import Tariff, read_tariff

if TYPE_CHECKING:
    from routing.normalise import Normaliser

_SECTIONS: Mapping[str, type[Any]] = {
    "node": NodeConfig,
    "store": StoreConfig,
    "smpp": SmppConfig,
    "http": HttpConfig,
    "credit": CreditConfig,
    "inbox": InboxConfig,
    "log": LogConfig,
}
_OF_EVERY_OUTLET = tuple(field.name for field in attrs.fields(OutletFlowConfig))
_KEYS = (
    *_SECTIONS,
    "ldap",
    "mail",
    "accounts",
    "dialects",
    "distribution_lists",
    "outlets",
    *ROUTING_SECTIONS,
)


@attrs.frozen
class OutletConfig:
    """`[outlets.NAME]`: one way out of the gateway."""

    kind: str
    settings: Any
    """Instance of the class that the kind's bridge reads its settings into."""
    flow: OutletFlowConfig = attrs.field(factory=OutletFlowConfig)
    """What every kind has: retries, limits."""


@attrs.frozen(kw_only=True)
class Config:
    """All that a node is told; equal when the files mean the same."""

    node: NodeConfig = attrs.field(factory=NodeConfig)
    store: StoreConfig = attrs.field(factory=StoreConfig)
    smpp: SmppConfig = attrs.field(factory=SmppConfig)
    http: HttpConfig = attrs.field(factory=HttpConfig)
    credit: CreditConfig = attrs.field(factory=CreditConfig)
    inbox: InboxConfig = attrs.field(factory=InboxConfig)
    ldap: LdapConfig | None = None
    mail: MailConfig | None = None
    log: LogConfig = attrs.field(factory=LogConfig)
    accounts: Mapping[str, AccountConfig] = attrs.field(factory=dict)
    """By system_id."""
    dialects: Mapping[str, Any] = attrs.field(factory=dict)
    """Settings of each name in `http.dialects`: instances of its class, see `load`."""
    distribution_lists: Mapping[str, tuple[Address, ...]] = attrs.field(factory=dict)
    """Those of submit_multi, by dl_name."""
    outlets: Mapping[str, OutletConfig] = attrs.field(factory=dict)
    routing: RoutingConfig = attrs.field(factory=RoutingConfig)
    mo_routes: tuple[MoRule, ...] = ()
    _table: RoutingTable | None = attrs.field(default=None, eq=False, repr=False)
    """Built while the file was checked, for that reads the tables it names."""

    @property
    def routes(self) -> tuple[Rule, ...]:
        """Rules for messages from clients."""
        return self.routing.routes

    def routing_table(self) -> RoutingTable:
        """The table for messages from clients.

        Raises ValueError for rules that were not read from a file by `load` and do not fit.
        """
        if self._table is not None:
            return self._table
        table = build(self.routing)
        if isinstance(table, list):
            told = "; ".join(f"{error.key}: {error.why}" for error in table)
            raise ValueError(told)  # noqa: TRY004 - the rules are wrong, not a type
        return table

    def velocity(self, before: Velocity | None = None) -> Velocity:
        """The guards against inflated traffic; those that `before` had too keep their counters."""
        return Velocity(self.routing.guards.items(), before)

    def normalisers(self) -> "dict[str, Normaliser]":
        """What reads numbers, by account; those without a region have none."""
        from routing.normalise import Normaliser  # 0.1 s to import: only where a region is given

        regions = {name: one.region for name, one in self.accounts.items() if one.region}
        by_region = {region: Normaliser(region) for region in set(regions.values())}
        return {name: by_region[region] for name, region in regions.items()}

    def inherited(self) -> Mapping[str, Any]:
        """What accounts take from `[smpp]` when they do not say otherwise."""
        return {key: getattr(self.smpp, key) for key in INHERITED}

    def tariff(self) -> Tariff | list[CsvError]:
        """What messages cost; or what is wrong with the file of prices."""
        prices, other = self.credit.prices, self.credit.default_price
        if prices is None:
            return Tariff(None, Rate("", other))
        try:
            return read_tariff(prices.read_bytes(), other)
        except OSError as error:
            return [CsvError(0, f"cannot read it: {error.strerror or error}")]

    def files(self) -> frozenset[Path]:
        """Every file besides the configuration that it is made of; a change in one is a reload."""
        prices = self.credit.prices
        return self.routing.files() | ({prices} if prices is not None else set())

    def mo_table(self) -> MoTable:
        """Build the table for messages from the network."""
        return MoTable(self.mo_routes)


def load(
    source: str | Path,
    outlet_kinds: Mapping[str, type[Any]],
    environ: Mapping[str, str],
    dialect_kinds: Mapping[str, type[Any]] = MappingProxyType({}),
    callback_styles: Collection[str] | None = None,
) -> Config | list[ConfigError]:
    """Read a configuration: from a file when `source` is a Path, else from TOML text.

    `outlet_kinds` maps each `kind` to the attrs class of its settings; the class may have a
    field `kind` or not; `dialect_kinds` does it for the HTTP dialects of this build, whose
    `callback_styles` are the names that may stand in `callback_style`; None = any.
    Relative paths in the file count from the working directory.
    """
    text = _text(source)
    if isinstance(text, ConfigError):
        return [text]
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError, or an absurd number
        return [ConfigError("", f"not TOML: {error}")]
    reader = Reader(environ)
    for name in raw:
        if name not in _KEYS:
            reader.add(unknown_key(name, _KEYS), name)
    config = _read(raw, outlet_kinds, dialect_kinds, reader)
    if callback_styles is not None:
        _check_styles(config, callback_styles, reader)
    return reader.errors or config


def render_errors(errors: Iterable[ConfigError]) -> str:
    """One line an error, for standard error."""
    return "\n".join(map(str, errors))


def files_named(path: Path) -> frozenset[Path]:
    """As `Config.files`, of a configuration file that may be wrong, or not be there at all."""
    text = _text(path)
    try:
        raw = tomllib.loads(text) if isinstance(text, str) else {}
    except tomllib.TOMLDecodeError:
        raw = {}
    sections = [raw.get(name) for name in FILE_SECTIONS]
    tables = [table for one in sections if isinstance(one, dict) for table in one.values()]
    found = [table.get("file") for table in tables if isinstance(table, dict)]
    credit = raw.get("credit")
    found += [credit.get("prices")] if isinstance(credit, dict) else []
    return frozenset(Path(one) for one in found if isinstance(one, str) and one)


def _text(source: str | Path) -> str | ConfigError:
    if isinstance(source, str):
        return source
    try:
        return source.read_text("utf-8")
    except UnicodeDecodeError as error:
        return ConfigError("", f"{source}: not UTF-8 at octet {error.start}")
    except OSError as error:
        return ConfigError("", f"{source}: {error.strerror}")


def _read(
    raw: dict[str, Any],
    outlet_kinds: Mapping[str, type[Any]],
    dialect_kinds: Mapping[str, type[Any]],
    reader: Reader,
) -> Config:
    """Read every section; what did not fit is left at its default and stands in `reader`."""
    sections = {
        name: reader.read(raw.get(name, {}), cls, name) or cls() for name, cls in _SECTIONS.items()
    }
    config = Config(
        **sections,
        accounts=_accounts(raw, sections["smpp"], reader),
        ldap=_ldap(raw, reader),
        mail=reader.read(raw["mail"], MailConfig, "mail") if "mail" in raw else None,
        dialects=_dialects(raw, sections["http"], dialect_kinds, reader),
        distribution_lists=_distribution_lists(raw, reader),
        outlets=_outlets(raw, outlet_kinds, reader),
    )
    rules = read_routing(
        raw,
        reader,
        outlets=written(raw, "outlets"),
        accounts=written(raw, "accounts"),
        groups=frozenset(one.group for one in config.accounts.values()) - {""},
    )
    _check_listeners(config, reader)
    _check_tls(config.smpp, reader)
    _check_prices(config, reader)
    if config.store.map_limit_mb < config.store.map_size_mb:
        why = f"expected at least map_size_mb = {config.store.map_size_mb}"
        reader.add(f"{why}, found {config.store.map_limit_mb}", "store", "map_limit_mb")
    if reader.errors:
        return config
    return attrs.evolve(
        config,
        routing=rules.routing,
        mo_routes=rules.mo_routes,
        table=RoutingTable(rules.routing.routes, rules.resources),
    )


def _ldap(raw: dict[str, Any], reader: Reader) -> LdapConfig | None:
    if "ldap" not in raw:
        return None
    ldap = reader.read(raw["ldap"], LdapConfig, "ldap")
    if not isinstance(ldap, LdapConfig):
        return None
    if "password" in " ".join(ldap.account):
        reader.add("the directory server knows the passwords", "ldap", "account")
    sample = read_account("*", {**ldap.account, "password": "*"}, {})
    if isinstance(sample, str):
        reader.add(sample.replace('accounts."*".', ""), "ldap", "account")
    return ldap


def _check_prices(config: Config, reader: Reader) -> None:
    tariff = config.tariff()
    for line, why in tariff if isinstance(tariff, list) else ():
        place = f"{config.credit.prices}, line {line}" if line else f"{config.credit.prices}"
        reader.add(f"{place}: {why}", "credit", "prices")


def _accounts(raw: dict[str, Any], smpp: SmppConfig, reader: Reader) -> dict[str, AccountConfig]:
    inherited = {key: getattr(smpp, key) for key in INHERITED}
    accounts: dict[str, AccountConfig] = {}
    for name, value in reader.table(raw.get("accounts", {}), "accounts").items():
        fault = account_name_fault(name)
        if fault:
            reader.add(fault, "accounts", name)
        table = {**inherited, **value} if isinstance(value, dict) else value
        account = reader.read(table, AccountConfig, "accounts", name)
        if account is not None:
            accounts[name] = account
    return accounts


def _dialects(
    raw: dict[str, Any], http: HttpConfig, dialect_kinds: Mapping[str, type[Any]], reader: Reader
) -> dict[str, Any]:
    tables = reader.table(raw.get("dialects", {}), "dialects")
    for name in tables:
        if name not in dialect_kinds:
            reader.add(unknown_key(name, tuple(dialect_kinds)), "dialects", name)
    return {
        name: reader.read(tables.get(name, {}), dialect_kinds[name], "dialects", name)
        for name in http.dialects
        if name in dialect_kinds
    }


def _distribution_lists(raw: dict[str, Any], reader: Reader) -> dict[str, tuple[Address, ...]]:
    lists: dict[str, tuple[Address, ...]] = {}
    for name, value in reader.table(
        raw.get("distribution_lists", {}), "distribution_lists"
    ).items():
        # dl_name is a C-octet string of at most 21 octets with its NUL (SMPP 3.4 §5.2.26).
        if not re.fullmatch(r"[!-~]{1,20}", name):
            why = "expected a dl_name: 1 to 20 ASCII characters without spaces"
            reader.add(why, "distribution_lists", name)
        if not isinstance(value, list) or not value:
            what = "a list without any" if value == [] else found(value)
            why = f"expected a list of numbers, found {what}"
            reader.add(
                why, "distribution_lists", name, meaning="whom the distribution list reaches"
            )
            continue
        addresses: list[Address] = []
        for position, one in enumerate(value):
            address = guess_destination(one) if isinstance(one, str) else None
            if address is None or destination_fault(*address) is not None:
                reader.add(
                    f'expected a number like "41791234567", found {found(one)}',
                    "distribution_lists",
                    name,
                    position,
                )
            else:
                addresses.append(address)
        lists[name] = tuple(addresses)
    return lists


def _outlets(
    raw: dict[str, Any], outlet_kinds: Mapping[str, type[Any]], reader: Reader
) -> dict[str, OutletConfig]:
    outlets: dict[str, OutletConfig] = {}
    for name, value in reader.table(raw.get("outlets", {}), "outlets").items():
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", name):
            why = 'expected a name of 1 to 32 letters, digits, "_", "-" or "."'
            reader.add(why, "outlets", name)
        table = dict(reader.table(value, "outlets", name))
        kind = table.get("kind")
        if not isinstance(value, dict):
            continue
        if not isinstance(kind, str) or kind not in outlet_kinds:
            what = f"found {found(kind)}" if "kind" in table else "but it is missing"
            known = ", ".join(map(repr, sorted(outlet_kinds)))
            why = f"expected one of {known}, {what}"
            reader.add(why, "outlets", name, "kind", meaning="what the outlet is")
            continue
        cls = outlet_kinds[kind]
        if "kind" not in attrs.fields_dict(cls):
            del table["kind"]
        shared = {key: table.pop(key) for key in _OF_EVERY_OUTLET if key in table}
        flow = reader.read(shared, OutletFlowConfig, "outlets", name)
        settings = reader.read(table, cls, "outlets", name)
        if settings is not None and flow is not None:
            outlets[name] = OutletConfig(kind, settings, flow)
    _check_receipts_paths(outlets, reader)
    return outlets


def _check_styles(config: Config, styles: Collection[str], reader: Reader) -> None:
    """Refuse a callback style that this build does not have."""
    for name, account in config.accounts.items():
        style = account.callback_style.partition(":")[0]
        if style not in styles:
            known = ", ".join(repr(one) for one in sorted(styles))
            why = f"expected one of {known}, found {found(account.callback_style)}"
            reader.add(why, "accounts", name, "callback_style")


def _check_receipts_paths(outlets: Mapping[str, OutletConfig], reader: Reader) -> None:
    """Refuse one path for two connectors; the sentence does not show it, for it is a secret."""
    taken: dict[object, str] = {}
    for name, outlet in outlets.items():
        path = getattr(outlet.settings, "receipts_path", None)
        if path is not None and path.value:
            first = taken.setdefault(path.value, name)
            if first != name:
                why = f"it is that of outlet {first!r} as well; give each its own"
                reader.add(why, "outlets", name, "receipts_path")


def _check_listeners(config: Config, reader: Reader) -> None:
    """Refuse one address for two listeners; port 0 is a fresh port each time."""
    taken: dict[object, str] = {}
    for section, key, addresses in (
        ("smpp", "listen", config.smpp.listen),
        ("smpp", "listen_tls", config.smpp.listen_tls),
        ("http", "listen", config.http.listen),
    ):
        for position, address in enumerate(addresses):
            path = key_of((section, key, position))
            first = taken.setdefault(address, path)
            if first != path and address.port:
                reader.add(f"{address} is already taken by {first}", section, key, position)


def _check_tls(smpp: SmppConfig, reader: Reader) -> None:
    """Refuse a TLS listener that could not greet anybody; the files are read at start."""
    if smpp.listen_tls:
        for key in ("tls_cert", "tls_key"):
            if getattr(smpp, key) is None:
                reader.add("required by listen_tls, but missing", "smpp", key)
    if smpp.tls_client_certificates != "none" and smpp.tls_ca is None:
        why = f'required by tls_client_certificates = "{smpp.tls_client_certificates}"'
        reader.add(f"{why}, but missing", "smpp", "tls_ca")
