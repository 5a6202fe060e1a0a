"""How one value of the configuration file is read, and what is said when it does not fit.

*In*: values as tomllib gives them, attrs classes whose fields say what they mean.
*Out*: instances, or `ConfigError` values: the key, what was expected, what was found.
*Never*: guesses: "12" is not a number, `true` is not 1, a string is not a list of letters.

A class of settings is plain attrs; `about()` adds meaning and bounds. A field of type
`Secret` or `StoredPassword` called `x` may be written as `x`, `x_file` or `x_env` (and
`x_hash` for a stored password).
"""

import re
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, override

from smsc.config_errors import (
    ConfigError,
    Secret,
    SettingError,
    explain,
    found,
    key_of,
    secret_forms,
)
from smsc.directory.passwords import StoredPassword, is_argon2_hash

Network: TypeAlias = IPv4Network | IPv6Network


@attrs.frozen
class HostPort:
    """Where to listen: an address and a TCP port, 0 = any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        """Render as it is written in the file."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def about(
    meaning: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    parse: Callable[[object], object] | None = None,
) -> dict[str, Any]:
    """Metadata for `attrs.field`: what a key is for and what may stand there.

    `meaning` is shown with errors. Bounds are inclusive; for a string they bound its length.
    `parse` takes the value from the file and returns the field's, or raises `SettingError`.
    """
    return {"meaning": meaning, "minimum": minimum, "maximum": maximum, "parse": parse}


class Reader:
    """Structures parts of the file and collects everything that does not fit."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` answers the `*_env` keys."""
        self.errors: list[ConfigError] = []
        self._converter = _converter(environ)

    def read(self, value: object, cls: type[Any], *path: str | int) -> Any | None:
        """Return an instance of `cls`; None after at least one error was added."""
        try:
            return self._converter.structure(value, cls)
        except (BaseValidationError, SettingError) as error:
            self.errors.extend(explain(error, path, None))
            return None

    def table(self, value: object, *path: str | int) -> dict[str, Any]:
        """Return a table's content; empty, with an error, when it is something else."""
        if isinstance(value, dict):
            return value
        self.add(f"expected a table, found {found(value)}", *path)
        return {}

    def add(self, why: str, *path: str | int, meaning: str = "") -> None:
        """Add an error found elsewhere."""
        self.errors.append(ConfigError(key_of(path), why, meaning))


# --- values --------------------------------------------------------------------------------


def whole_number(value: object, minimum: float | None, maximum: float | None) -> int:
    """Accept a TOML integer within bounds."""
    if isinstance(value, int) and not isinstance(value, bool) and _within(value, minimum, maximum):
        return value
    raise SettingError(f"expected a whole number{_range(minimum, maximum)}, found {found(value)}")


def number(value: object, minimum: float | None, maximum: float | None) -> float:
    """Accept a TOML integer or float within bounds, but no nan or inf."""
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= sys.float_info.max  # an integer may be more; nan and inf are not
        and _within(value, minimum, maximum)
    ):
        return float(value)
    raise SettingError(f"expected a number{_range(minimum, maximum)}, found {found(value)}")


def string(value: object, minimum: float | None, maximum: float | None) -> str:
    """Accept a string whose length is within bounds."""
    if not isinstance(value, str):
        raise SettingError(f"expected a string, found {found(value)}")
    if not _within(len(value), minimum, maximum):
        why = f"expected a string{_range(minimum, maximum, ' characters')}, found {len(value)}"
        raise SettingError(why)
    return value


def _within(value: float, minimum: float | None, maximum: float | None) -> bool:
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _range(minimum: float | None, maximum: float | None, unit: str = "") -> str:
    if minimum is not None and maximum is not None:
        return f" from {minimum} to {maximum}{unit}"
    if minimum is not None:
        return f" of at least {minimum}{unit}"
    return "" if maximum is None else f" of at most {maximum}{unit}"


def _boolean(value: object, _: object) -> bool:
    if isinstance(value, bool):
        return value
    raise SettingError(f"expected true or false, found {found(value)}")


def _amount(value: object, _: object) -> Decimal:
    """Accept money exactly as written: 0.045, not the nearest binary fraction."""
    return Decimal(repr(value)) if number(value, 0, None) and value else Decimal(0)


def _path(value: object, _: object) -> Path:
    return Path(string(value, 1, None))


def _network(value: object, _: object) -> Network:
    try:
        return ip_network(string(value, None, None))
    except ValueError as error:
        why = f'expected a network like "10.0.0.0/8", found {found(value)}: {error}'
        raise SettingError(why) from None


def _host_port(value: object, _: object) -> HostPort:
    match = re.fullmatch(r"(?:\[([^]\s]+)\]|([^:\s]+)):(\d{1,5})", string(value, None, None))
    if match is None or int(match[3]) > 65535:
        raise SettingError(
            f'expected "host:port" as in "127.0.0.1:2775" or "[::1]:2775", found {found(value)}'
        )
    return HostPort(match[1] or match[2], int(match[3]))


def _one_of(value: object, literal: Any) -> object:
    allowed = get_args(literal)
    if isinstance(value, str) and value in allowed:
        return value
    names = ", ".join(map(repr, allowed))
    raise SettingError(f"expected one of {names}, found {found(value)}")


# --- secrets -------------------------------------------------------------------------------


@attrs.frozen
class _Written:
    """A secret as the file gives it: under which key, and what stands there."""

    key: str
    form: str
    """"" | "_file" | "_env" | "_hash"."""
    value: object = attrs.field(repr=False)


def _gather_secret(table: dict[str, Any], name: str, secret_type: object) -> None:
    """Fold the several ways to write a secret into its one field."""
    keys = {name + form: form for form in secret_forms(secret_type)}
    given = [key for key in keys if key in table]
    if not given:
        return
    written = [_Written(key, keys[key], table.pop(key)) for key in given]
    table[name] = written[0] if len(written) == 1 else written


def _secret(written: object, secret_type: object, environ: Mapping[str, str]) -> Any:
    if isinstance(written, list):
        names = " and ".join(one.key for one in written)
        raise SettingError(f"expected one way to give it, found {names}")
    assert isinstance(written, _Written)
    if not isinstance(written.value, str):
        kind = type(written.value).__name__  # never the value: it may be the password
        raise SettingError(
            f"expected a string, found a value of type {kind}", written_as=written.key
        )
    try:
        text = _secret_text(written.form, written.value, environ)
    except SettingError as error:
        raise SettingError(error.why, written_as=written.key) from None
    if secret_type is Secret:
        return Secret(text)
    return StoredPassword(text, is_hash=written.form == "_hash")


def _secret_text(form: str, value: str, environ: Mapping[str, str]) -> str:
    text = value
    if form == "_env":
        if value not in environ:
            raise SettingError(f"the environment has no variable {value!r}")
        text = environ[value]
    elif form == "_file":
        try:
            text = Path(value).read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            what = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise SettingError(f"cannot read {value!r}: {what}") from None
    elif form == "_hash" and not is_argon2_hash(value):
        raise SettingError('expected an argon2 hash ("$argon2id$…"), found something else')
    if not text:
        raise SettingError("expected a password, found nothing")
    return text


# --- classes -------------------------------------------------------------------------------


def _converter(environ: Mapping[str, str]) -> Converter:
    converter = Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(int, lambda value, _: whole_number(value, None, None))
    converter.register_structure_hook(float, lambda value, _: number(value, None, None))
    converter.register_structure_hook(str, lambda value, _: string(value, None, None))
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(Path, _path)
    converter.register_structure_hook(Decimal, _amount)
    converter.register_structure_hook_func(_is_network, _network)
    converter.register_structure_hook_func(_is_literal, _one_of)
    converter.register_structure_hook_func(
        _is_tuple,
        lambda value, cls: _tuple(converter, value, cls),
    )
    converter.register_structure_hook_factory(attrs.has, lambda cls: _class_hook(converter, cls))
    # After the factory: the newest hook is asked first.
    converter.register_structure_hook(HostPort, _host_port)
    for secret_type in (Secret, StoredPassword):
        converter.register_structure_hook(
            secret_type, lambda value, cls: _secret(value, cls, environ)
        )
    return converter


def _is_network(cls: Any) -> bool:
    return bool(cls == Network)


def _is_literal(cls: Any) -> bool:
    return get_origin(cls) is Literal


def _is_tuple(cls: Any) -> bool:
    return get_origin(cls) is tuple


def _tuple(converter: Converter, value: object, cls: Any) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise SettingError(f"expected a list, found {found(value)}")
    item: Any = get_args(cls)[0]
    return tuple(converter.structure(value, list[item]))


def _class_hook(converter: Converter, cls: type[Any]) -> Callable[[object, Any], Any]:
    fields = attrs.fields(attrs.resolve_types(cls))
    overrides: dict[str, Any] = {field.name: _field_hook(converter, field) for field in fields}
    build = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **overrides)
    secrets = [field for field in fields if field.type in (Secret, StoredPassword)]

    def structure(value: object, target: Any) -> Any:
        if not isinstance(value, dict):
            raise SettingError(f"expected a table, found {found(value)}")
        table = dict(value)
        for field in secrets:
            _gather_secret(table, field.name, field.type)
        return build(table, target)

    return structure


def _field_hook(converter: Converter, field: "attrs.Attribute[Any]") -> Any:
    parse = field.metadata.get("parse")
    if parse is not None:
        return override(struct_hook=lambda value, _: parse(value))
    bounds = field.metadata.get("minimum"), field.metadata.get("maximum")
    bounded = {int: whole_number, float: number, str: string}.get(field.type)  # type: ignore[arg-type]
    if bounded is not None:
        return override(struct_hook=lambda value, _: bounded(value, *bounds))
    return override(struct_hook=converter.structure)
