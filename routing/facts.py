"""What rules may know of a message, read from its body.

*In*: a submit_sm body and what was read of it, the envelope's facts, and which facts the table
needs. *Out*: `RouteKey`.
*Never*: more work than the table asks for: counting parts and decoding a text cost microseconds.
"""

from collections.abc import Collection

from pdu.peek import SubmitPeek
from pdu.text.segmenter import count_parts
from pdu.text.udh import Udh
from routing.key import RouteKey
from routing.rewrite import data_of, text_of


def read_key(
    body: bytes,
    peek: SubmitPeek,
    *,
    account: str,
    source: str,
    tags: tuple[str, ...] = (),
    group: str = "",
    at_ms: int = 0,
    needs: Collection[str] = (),
) -> RouteKey:
    """The facts of one message.

    :param at_ms: when it came in, ms UTC.
    :param needs: `RoutingTable.needs`.
    """
    source_addr = peek.source_addr.removeprefix("+")
    destination_addr = peek.destination_addr.removeprefix("+")
    if not needs:
        return RouteKey(account, source, source_addr, destination_addr, tags)
    return RouteKey(
        account,
        source,
        source_addr,
        destination_addr,
        tags,
        group,
        peek.source_addr_ton,
        peek.esm_class,
        peek.data_coding,
        peek.priority_flag,
        at_ms,
        part_count(body, peek) if "parts" in needs else 1,
        text_of(body, peek) if "text" in needs else "",
    )


def part_count(body: bytes, peek: SubmitPeek) -> int:
    """How many parts the message will be; one where the client parted it. May be above 255."""
    header, data = data_of(body, peek)
    parsed = Udh.parse(header) if header else None
    if parsed is not None and parsed.concat is not None:
        return 1
    return count_parts(data, peek.data_coding, udh=header)
