"""Texts with placeholders, as settings write them for a service: `{to}`, `{text:hex}`.

*In*: a text and where it stands. *Out*: a `Text` that is filled for each message; a named error
for a placeholder that does not exist. *Never*: a value that can leave its place: each is escaped
for where it stands unless a filter says otherwise.

`{{` and `}}` stand for braces.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import attrs
import orjson

from bridges.connectors.sms import Sms
from pdu.text import gsm7
from smsc.config_errors import SettingError, found


@attrs.frozen
class Facts:
    """What a template may speak of besides the message: the settings that stay the same."""

    username: str = ""
    password: str = attrs.field(default="", repr=False)
    account: str = ""
    number_format: str = "E164"
    country: str = ""
    """Country code that `national` numbers are told without."""
    yes: str = "1"
    no: str = "0"
    upstream_id: str = ""
    """Of the message that a poll asks for."""


@attrs.frozen
class Filling:
    """One message to be written into templates."""

    sms: Sms | None
    facts: Facts

    @property
    def message(self) -> Sms:
        """The message; polls and balances have none, which their placeholders were checked for."""
        assert self.sms is not None
        return self.sms


def write_number(number: str, form: str, country: str) -> str:
    """Digits as a service wants them: "+E164", "E164", "00E164" or "national"."""
    if form == "+E164":
        return f"+{number}"
    if form == "00E164":
        return f"00{number}"
    if form == "national" and country and number.startswith(country):
        return f"0{number[len(country) :]}"
    return number


def _to(filling: Filling) -> str:
    sms, facts = filling.message, filling.facts
    if not sms.plus_to.startswith("+"):
        return sms.to  # a short code has no other form
    return write_number(sms.to, facts.number_format, facts.country)


def _word(facts: Facts, *, is_so: bool) -> str:
    return facts.yes if is_so else facts.no


def _septets(text: str) -> str:
    return (gsm7.encode(text) or b"").hex()


VARIABLES: Final[Mapping[str, Callable[[Filling], str]]] = {
    "to": _to,
    "from": lambda one: one.message.sender,
    "text": lambda one: one.message.text,
    "text_hex_ucs2": lambda one: one.message.text.encode("utf-16-be", "replace").hex(),
    "text_gsm": lambda one: _septets(one.message.text),
    "data_hex": lambda one: one.message.data.hex(),
    "udh_hex": lambda one: one.message.udh.hex(),
    "coding": lambda one: str(one.message.data_coding),
    "flash": lambda one: _word(one.facts, is_so=one.message.is_flash),
    "unicode": lambda one: _word(one.facts, is_so=one.message.is_unicode),
    "id": lambda one: str(one.message.id),
    "reference": lambda one: one.message.reference,
    "dlr_url": lambda one: one.message.referring_url,
    "validity": lambda one: str(one.message.validity_s),
    "validity_min": lambda one: str(-(-one.message.validity_s // 60)),
    "part": lambda one: str(one.message.part + 1),
    "parts": lambda one: str(one.message.parts),
    "text_parts": lambda one: str(one.message.text_parts),
    "username": lambda one: one.facts.username,
    "password": lambda one: one.facts.password,
    "account": lambda one: one.facts.account,
    "upstream_id": lambda one: one.facts.upstream_id,
}
BESIDE: Final = frozenset({"username", "password", "account", "upstream_id"})
"""Those that need no message."""
_NATIVE: Final[Mapping[str, Callable[[Filling], object]]] = {
    "flash": lambda one: one.message.is_flash,
    "unicode": lambda one: one.message.is_unicode,
    "validity": lambda one: one.message.validity_s,
    "validity_min": lambda one: -(-one.message.validity_s // 60),
    "part": lambda one: one.message.part + 1,
    "parts": lambda one: one.message.parts,
    "text_parts": lambda one: one.message.text_parts,
    "coding": lambda one: one.message.data_coding,
}
FILTERS: Final[Mapping[str, Callable[[str], str]]] = {
    "url": lambda value: quote(value, safe=""),
    "json": lambda value: orjson.dumps(value).decode()[1:-1],
    "xml": lambda value: escape(value, {'"': "&quot;", "'": "&apos;"}),
    "hex": lambda value: value.encode().hex(),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "none": lambda value: value,
}
_PIECE: Final = re.compile(r"\{\{|\}\}|\{([a-z_0-9]*)(?::([a-z0-9]*))?\}|[{}]")

_Piece = str | tuple[Callable[[Filling], str], Callable[[str], str]]


@attrs.frozen
class Text:
    """A text with placeholders, ready to be filled."""

    written: str
    names: frozenset[str] = attrs.field(eq=False)
    _pieces: tuple[_Piece, ...] = attrs.field(eq=False, repr=False)
    native: str = ""
    """The variable whose own JSON value stands for the whole text: "{parts:value}"."""

    def fill(self, filling: Filling) -> str:
        """The text for one message."""
        return "".join(
            piece if isinstance(piece, str) else piece[1](piece[0](filling))
            for piece in self._pieces
        )

    def value(self, filling: Filling) -> object:
        """The same for JSON, where a number or a truth value may stand by itself."""
        return _NATIVE[self.native](filling) if self.native else self.fill(filling)


def parse_text(value: object, place: str, *, with_message: bool = True) -> Text:
    """Read a text; `place` names the filter of placeholders that name none.

    Raises SettingError.
    """
    if not isinstance(value, str):
        raise SettingError(f"expected a text, found {found(value)}")
    whole = re.fullmatch(r"\{([a-z_0-9]+):value\}", value)
    if whole is not None and place == "none":
        if whole[1] not in _NATIVE:
            known = ", ".join(sorted(_NATIVE))
            raise SettingError(f"{value}: only these have a value of their own: {known}")
        return Text(value, frozenset({whole[1]}), (), whole[1])
    pieces: list[_Piece] = []
    names: set[str] = set()
    at = 0
    for match in _PIECE.finditer(value):
        pieces.append(value[at : match.start()])
        at = match.end()
        if match[0] in {"{{", "}}"}:
            pieces.append(match[0][0])
            continue
        pieces.append(_placeholder(match, place, with_message=with_message))
        names.add(match[1])
    pieces.append(value[at:])
    return Text(value, frozenset(names), tuple(piece for piece in pieces if piece))


def _placeholder(match: re.Match[str], place: str, *, with_message: bool) -> _Piece:
    name, filter_ = match[1], match[2] or place
    known = set(VARIABLES) if with_message else BESIDE
    if not name or name not in known:
        names = ", ".join(sorted(known))
        raise SettingError(
            f"{match[0]!r} is no placeholder; known ones: {names}; write {{{{ for a brace"
        )
    if filter_ not in FILTERS:
        raise SettingError(f"{match[0]!r}: no such filter; known ones: {', '.join(FILTERS)}")
    return VARIABLES[name], FILTERS[filter_]


# --- tables ---------------------------------------------------------------------------------------


@attrs.frozen
class Fields:
    """Names and texts: form fields, parameters, headers."""

    pairs: tuple[tuple[str, Text], ...] = ()

    def fill(self, filling: Filling) -> list[tuple[str, str]]:
        """Names and values for one message."""
        return [(name, text.fill(filling)) for name, text in self.pairs]

    @property
    def names(self) -> frozenset[str]:
        """Every variable in it."""
        return frozenset().union(*(text.names for _, text in self.pairs))


@attrs.frozen
class Tree:
    """A JSON value whose texts have placeholders."""

    root: Any = None

    def fill(self, filling: Filling) -> object:
        """The value for one message."""
        return _fill(self.root, filling)


def parse_fields(value: object, *, with_message: bool = True) -> Fields:
    """Read { name = "text {variable}" }."""
    if not isinstance(value, dict):
        raise SettingError(f"expected a table of texts, found {found(value)}")
    return Fields(
        tuple((name, _named(name, text, with_message=with_message)) for name, text in value.items())
    )


def parse_tree(value: object) -> Tree:
    """Read a table as the JSON that it stands for."""
    if not isinstance(value, dict | list):
        raise SettingError(f"expected a table, found {found(value)}")
    return Tree(_tree(value, ""))


def _named(name: str, text: object, *, with_message: bool = True) -> Text:
    try:
        return parse_text(text, "none", with_message=with_message)
    except SettingError as error:
        raise SettingError(f"{name}: {error.why}") from None


def _tree(value: object, path: str) -> object:
    if isinstance(value, dict):
        return {key: _tree(each, f"{path}/{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [_tree(each, f"{path}/{place}") for place, each in enumerate(value)]
    return _named(path, value) if isinstance(value, str) else value


def _fill(node: object, filling: Filling) -> object:
    if isinstance(node, Text):
        return node.value(filling)
    if isinstance(node, dict):
        return {key: _fill(each, filling) for key, each in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_fill(each, filling) for each in node]
    return node
