"""The words in which the PDU tables are written: field kinds and the ``@pdu`` decorator.

*In*: class bodies that list fields in wire order, as the specification's tables do.
*Out*: slotted classes, frozen to the type checker and plain at run time, and :data:`TABLES`.
*Never*: reads or writes octets: :mod:`pdu.reference` and :mod:`pdu.codec` walk these tables.

SMPP 3.4 §3.1 (types), 5.0 §3.1. Frozen attrs classes with slots cost five times as much to
build, hence frozen for mypy only.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform

import attrs

from pdu.commands import RESPONSE, command_name
from pdu.status import Status
from pdu.tlvs import Tlvs, tlv_int, tlv_text, tlv_value


@attrs.frozen
class Integer:
    """``octets`` wide, unsigned, big-endian; ``valid`` is None where every value may stand."""

    octets: int
    status: Status
    valid: frozenset[int] | None


@attrs.frozen
class COctetString:
    """NUL-terminated; ``limit`` octets at most, the NUL included."""

    limit: int
    status: Status


@attrs.frozen
class TimeString:
    """NUL-terminated; empty or exactly 16 characters."""

    status: Status


@attrs.frozen
class CountedOctets:
    """One octet of length, named ``count_name`` on the wire, then that many octets."""

    count_name: str
    status: Status


@attrs.frozen
class Group:
    """One octet of count, then that many elements.

    ``variants`` maps the flag octet in front of each element to its class; with the single
    key None there is no flag.
    """

    count_name: str
    count_status: Status
    flag_status: Status
    variants: dict[int | None, "type[Any]"]
    at_least: int


Kind = Integer | COctetString | TimeString | CountedOctets | Group


@attrs.frozen
class Field:
    """One line of a table: the name of the specification and the kind."""

    name: str
    kind: Kind


@attrs.frozen
class Table:
    """The mandatory part of one PDU.

    :ivar tolerant: values and TLV lengths are kept as they came: what a message centre sends
        is used as well as can be, what an ESME sends is judged.
    """

    command_id: int
    cls: "type[Pdu]"
    fields: tuple[Field, ...]
    tolerant: bool

    @property
    def may_lack_body(self) -> bool:
        """Responses with fields are seen without any body, by rule or habit."""
        return self.command_id >= RESPONSE and bool(self.fields)


# command_id: its table; filled by the ``@pdu`` decorator.
TABLES: Final[dict[int, Table]] = {}
# Element classes of groups: their fields.
ELEMENTS: Final[dict[type[Any], tuple[Field, ...]]] = {}


class Pdu:
    """What every PDU class offers; ``tlvs`` are all TLVs in wire order, untouched."""

    __slots__ = ()

    command_id: ClassVar[int]
    tlvs: Tlvs

    @property
    def command(self) -> str:
        """The name of the operation, as ``submit_sm``."""
        return command_name(self.command_id)

    def tlv(self, tag: int) -> bytes | None:
        """The first value of that tag; None when absent."""
        return tlv_value(self.tlvs, tag)

    def tlv_int(self, tag: int) -> int | None:
        """The first value of that tag as an unsigned number; None when absent."""
        return tlv_int(self.tlvs, tag)

    def tlv_text(self, tag: int) -> str | None:
        """The first value of that tag as text without its NUL; None when absent."""
        return tlv_text(self.tlvs, tag)


def u1(
    status: Status = Status.ESME_RINVCMDLEN,
    valid: frozenset[int] | None = None,
    *,
    default: int = 0,
) -> Any:
    """One octet; ``status`` answers a value outside ``valid``."""
    return _field(Integer(1, status, valid), default)


def u4(status: Status = Status.ESME_RINVCMDLEN, *, default: int = 0) -> Any:
    """Four octets, big-endian."""
    return _field(Integer(4, status, None), default)


def c_octet_string(limit: int, status: Status, *, default: str = "") -> Any:
    """NUL-terminated Latin-1 (every octet survives); ``limit`` includes the NUL."""
    return _field(COctetString(limit, status), default)


def time_string(status: Status, *, default: str = "") -> Any:
    """Empty or 16 characters, NUL-terminated; its meaning is :mod:`pdu.timefmt`'s."""
    return _field(TimeString(status), default)


def counted_octets(count_name: str, status: Status, *, default: bytes = b"") -> Any:
    """Octets counted by the octet in front of them."""
    return _field(CountedOctets(count_name, status), default)


def group(
    count_name: str,
    variants: dict[int | None, type[Any]],
    count_status: Status,
    flag_status: Status = Status.ESME_RINVCMDLEN,
    *,
    at_least: int = 0,
    default: tuple[Any, ...] = (),
) -> Any:
    """Elements counted by the octet in front of them."""
    return _field(Group(count_name, count_status, flag_status, variants, at_least), default)


def tlv_area(*, default: Tlvs = ()) -> Any:
    """Everything behind the mandatory fields."""
    return attrs.field(default=default, kw_only=True)


def bodiless_flag(*, default: bool = False) -> Any:
    """True when the response had no body at all; then the fields are only defaults."""
    return attrs.field(default=default, kw_only=True)


_T = TypeVar("_T")


@dataclass_transform(
    frozen_default=True,
    field_specifiers=(
        u1,
        u4,
        c_octet_string,
        time_string,
        counted_octets,
        group,
        tlv_area,
        bodiless_flag,
    ),
)
def pdu(command_id: int, *, tolerant: bool = False) -> Callable[[type[_T]], type[_T]]:
    """Make a PDU class of a table and enter it into :data:`TABLES`."""

    def decorate(cls: type[_T]) -> type[_T]:
        made: Any = _define(cls)
        made.command_id = int(command_id)
        TABLES[int(command_id)] = Table(int(command_id), made, _fields_of(made), tolerant)
        return made  # type: ignore[no-any-return]  # attrs makes a new class of the same shape

    return decorate


@dataclass_transform(frozen_default=True, field_specifiers=(u1, u4, c_octet_string))
def element(cls: type[_T]) -> type[_T]:
    """Make the class of a group's element."""
    made: Any = _define(cls)
    ELEMENTS[made] = _fields_of(made)
    return made  # type: ignore[no-any-return]  # as in pdu()


def _define(cls: type[Any]) -> type[Any]:
    # Weak references are never taken; hooks on setting attributes would cost and guard nothing.
    return attrs.define(
        cls,
        slots=True,
        unsafe_hash=True,
        on_setattr=attrs.setters.NO_OP,
        weakref_slot=False,
    )


def _field(kind: Kind, default: object) -> Any:
    return attrs.field(default=default, metadata={"kind": kind})


def _fields_of(cls: type[Any]) -> tuple[Field, ...]:
    return tuple(
        Field(attribute.name, attribute.metadata["kind"])
        for attribute in attrs.fields(cls)
        if "kind" in attribute.metadata
    )
