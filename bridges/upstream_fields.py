"""How single settings of an upstream link are checked, before any bind needs them.

*In*: values from the file. *Out*: nothing, or one sentence why it does not do.
*Never*: a secret in a sentence.
"""

from typing import Any, Final

import attrs

from smsc.config_errors import Secret, found

_LONGEST_PASSWORD: Final = 8


def fits_the_wire(_: object, field: "attrs.Attribute[Any]", value: str | Secret) -> None:
    """Refuse what no PDU can carry, when the file is checked instead of at each message."""
    text = value.value if isinstance(value, Secret) else value
    if any(ord(letter) > 0xFF or letter == "\0" for letter in text):
        told = "" if isinstance(value, Secret) else f", found {found(text)}"
        raise ValueError(f"expected characters that SMPP can carry (Latin-1){told}", field)
    if isinstance(value, Secret) and len(text) > _LONGEST_PASSWORD:
        why = f"expected at most {_LONGEST_PASSWORD} characters (SMPP 3.4 §5.2.2)"
        raise ValueError(f"{why}, found {len(text)}", field)
