"""Patterns over texts and senders: RE2 syntax, in time linear in the text.

*In*: a pattern as an operator writes it. *Out*: a `Pattern`, or why it is none.
*Never*: backtracking: the standard library's `re` can be made to hang by a message.
"""

from typing import Any, Final

import attrs
import re2  # type: ignore[import-untyped, unused-ignore]  # the package brings no types

_MEMORY_OCTETS: Final = 1 << 20
"""RE2 refuses a pattern whose automaton would take more; counted repetitions can ask for much."""


@attrs.frozen
class Pattern:
    """Found anywhere in a text unless it is anchored; write "(?i)" for any case."""

    written: str
    _compiled: Any = attrs.field(eq=False, repr=False)

    def is_in(self, text: str) -> bool:
        """Whether the text holds a match; a lone surrogate in it counts as U+FFFD."""
        try:
            return self._compiled.search(text) is not None
        except UnicodeEncodeError:  # RE2 reads UTF-8
            return self._compiled.search(text.encode("utf-8", "replace").decode()) is not None


def compile_pattern(written: str) -> Pattern | str:
    """Compile, or say why it cannot be."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_OCTETS
    try:
        return Pattern(written, re2.compile(written, options))
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else "does not compile"
        told = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        return f"expected a pattern of RE2 syntax, found {written!r}: {told}"
