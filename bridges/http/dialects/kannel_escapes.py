"""The escape codes of Kannel's URLs: `%d`, `%p`, `%#group#parameter#` and their like.

*In*: a pattern, and values by letter. *Out*: the pattern with the values in their places.
*Never*: what a letter means; those who fill in know that (userguide, "Parameters"; gw/urltrans.c).

A dlr-url is filled in twice: when the message comes in, with what only the request tells
(account, coding …), and when something is reported. So that the second time finds what it should,
the first one doubles each percent sign of the values it puts in.
"""

import re
import urllib.parse
from collections.abc import Callable, Mapping

import attrs

Value = str | Callable[[], str]
"""What stands for a letter, percent-encoded; a function where each place takes another word."""

_ESCAPE = re.compile(r"%(#[^#]*#[^#]*#|.)", re.DOTALL)


def fill(pattern: str, values: Mapping[str, Value], *, is_last: bool) -> str:
    """Put in the values that there are, percent-encoded already.

    What is not among them stays for a later time, or, when `is_last`, stays as it is: a percent
    sign before an unknown letter is no escape. `%%` is one percent sign.
    """

    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        value = values.get(name)
        if value is not None:
            text = value if isinstance(value, str) else value()
            return text if is_last else text.replace("%", "%%")
        return "%" if is_last and name == "%" else found[0]

    return _ESCAPE.sub(value_of, pattern)


def quoted(value: str | bytes) -> str:
    """A value as it stands in a query string; a space is a plus."""
    return urllib.parse.quote_plus(value, safe="")


@attrs.define(slots=True)
class Words:
    """The words of a text: the first is the keyword, `%s` takes one after the other behind it."""

    text: str
    _words: list[str] = attrs.field(init=False)
    _next: int = attrs.field(default=1, init=False)

    def __attrs_post_init__(self) -> None:
        """Part the text at its white space."""
        self._words = self.text.split()

    def values(self) -> dict[str, Value]:
        """The letters that stand for the text and its words."""
        return {
            "A": quoted(self.text),
            "b": quoted(self.text),
            "a": "+".join(map(quoted, self._words)),
            "k": quoted(self._words[0]) if self._words else "",
            "s": lambda: quoted(self._take()),
            "S": lambda: quoted(self._take().replace("*", "~")),
            "r": lambda: "+".join(map(quoted, self._words[self._next :])),
        }

    def _take(self) -> str:
        if self._next >= len(self._words):
            return ""
        self._next += 1
        return self._words[self._next - 1]
