"""Senders as clients of several dialects write them.

*In*: what a request says. *Out*: a source_addr, or nothing. *Never*: whether an account may use it.
"""

from bridges.http.dialects.numbers import NumberReader
from pdu.address import guess_source, source_fault


def readable_sender(wish: str, numbers: NumberReader) -> str:
    """A sender as SMPP has it, "" for what cannot be one (Ruby clients put the date there)."""
    number = numbers.address(wish)
    if number is not None:
        return number
    address = guess_source(wish)
    is_sender = source_fault(*address) is None and all(one <= "\xff" for one in address.addr)
    return address.addr if is_sender else ""
