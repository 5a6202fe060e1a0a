"""Test vectors of the kinds text, dlr, dlr_id and time, as checks.

*In*: one object of a vectors file. *Out*: None when it holds, else the failure in one sentence.
*Never*: knowledge of a particular vector; other files of the schema run through the same checks.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pdu.receipt_text import IdMatch, iso_date, parse_receipt, relate_ids
from pdu.text.coding import choose, decode_text
from pdu.text.joiner import Joined, Joiner
from pdu.text.national import language
from pdu.text.packing import pack_text, unpack_text, user_data_length
from pdu.text.segmenter import segment
from pdu.text.septets import septet_alphabet
from pdu.text.udh import Udh, split_header
from pdu.text.udh import national as national_header
from pdu.timefmt import Absolute, Relative, TimeError, format_absolute, parse_parts

Vector = dict[str, Any]


def check_text(vector: Vector) -> str | None:
    """Code, part, pack, and read everything back."""
    return _first(_text_faults(vector["input"], vector["expect"]))


def check_dlr(vector: Vector) -> str | None:
    """Read a receipt and compare its fields."""
    found = parse_receipt(vector["short_message"].encode())
    expect = vector["expect"]
    if found is None:
        return None if expect.get("error") else "not read as a receipt"
    got = {
        "id": found.message_id,
        "sub": found.sub,
        "dlvrd": found.dlvrd,
        "submit": iso_date(found.submit_date),
        "done": iso_date(found.done_date),
        "stat": found.stat,
        "err": found.err,
        "text": None if found.text is None else _as_utf8(found.text),
    }
    return _first(_differences(expect, got))


def check_dlr_id(vector: Vector) -> str | None:
    """Tell how the id of a response and of its receipt relate."""
    got = relate_ids(vector["submit_resp_id"], vector["receipt_id"])
    told = vector["expect"]["match"].lower()
    wanted = next((match for words, match in _ID_WORDS.items() if words in told), None)
    return None if got is wanted else f"match: {got.value!r}, expected {told!r}"


_ID_WORDS: Final = {
    "ambiguous": IdMatch.AMBIGUOUS,
    "hex in response": IdMatch.HEX_THEN_DECIMAL,
    "decimal in response": IdMatch.DECIMAL_THEN_HEX,
    "no match": IdMatch.DIFFERENT,
    "different": IdMatch.DIFFERENT,
    "zero": IdMatch.PADDED,
    "case": IdMatch.CASE,
    "same": IdMatch.SAME,
    "equal": IdMatch.SAME,
    "exact": IdMatch.SAME,
    "identical": IdMatch.SAME,
}
"""`match` is prose for people; these words in it say which relation is meant, first found first."""


def check_time(vector: Vector) -> str | None:
    """Read a time; an absolute one is also written and read again."""
    expect = vector["expect"]
    try:
        found = parse_parts(vector["value"])
    except TimeError as error:
        return None if expect.get("error") else f"refused: {error}"
    if expect.get("error"):
        return f"accepted as {found}"
    match found:
        case None:
            return None if expect.get("empty") else "read as empty"
        case Absolute(utc_ms):
            if parse_parts(format_absolute(utc_ms)) != found:
                return f"{format_absolute(utc_ms)} is not the same instant"
            return _first(_differences(expect, {"absolute_utc": _iso(utc_ms)}))
        case Relative(years, months, days, hours, minutes, seconds):
            counts = f"P{years}Y{months}M{days}DT{hours}H{minutes}M{seconds}S"
            return _first(_differences(expect, {"relative": counts}))


CHECKS: Final[dict[str, Callable[[Vector], str | None]]] = {
    "text": check_text,
    "dlr": check_dlr,
    "dlr_id": check_dlr_id,
    "time": check_time,
}


def _first(faults: Iterator[str]) -> str | None:
    return next(faults, None)


def _differences(expect: Vector, got: Vector) -> Iterator[str]:
    """Name every expected key whose value differs, and every key we do not know."""
    for key, wanted in expect.items():
        if key not in got:
            yield f"{key}: nothing to compare with {wanted!r}"
        elif got[key] != wanted:
            yield f"{key}: {got[key]!r}, expected {wanted!r}"


def _as_utf8(text: str) -> str:
    """Receipts read as Latin-1; a vector's text is what its UTF-8 octets say."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _iso(utc_ms: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=utc_ms)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{utc_ms // 100 % 10}Z"


def _coded(given: Vector) -> tuple[str, int, bytes, bytes] | None:
    """Return (coding, data_coding, octets, header) with the tables that the vector names."""
    locking, single_shift = (
        language(given[key]) if given.get(key) else 0 for key in ("locking", "single_shift")
    )
    if locking or single_shift:
        septets = septet_alphabet(locking, single_shift).encode(given["text"])
        if septets is None:
            return None
        return "gsm7", 0, septets, bytes(national_header(locking, single_shift))
    choice = choose(given["text"])
    return choice.coding, choice.data_coding, choice.data, choice.udh


def _text_faults(given: Vector, expect: Vector) -> Iterator[str]:
    coded = _coded(given)
    if coded is None:
        yield "the named tables cannot carry the text"
        return
    coding, data_coding, data, udh = coded
    reference, width = given.get("concat_ref", "0x00 8-bit").split()
    parts = segment(
        data, data_coding, int(reference, 16), wide_reference=width == "16-bit", udh=udh
    )
    has_header = len(parts) > 1 or bool(udh)
    total = (
        {"utf16_units_total": len(data) // 2} if data_coding == 8 else {"septets_total": len(data)}
    )
    got = {
        "encoding": coding,
        "data_coding": data_coding,
        **total,
        "segments": len(parts),
        "esm_class_udhi": has_header,
    }
    yield from _differences({k: v for k, v in expect.items() if k != "parts"}, got)
    for number, (wanted, part) in enumerate(zip(expect["parts"], parts, strict=False), 1):
        for fault in _part_faults(wanted, part, data_coding, has_header):
            yield f"part {number}: {fault}"
    read = _rejoined(
        [bytes.fromhex(part["smpp_short_message"]) for part in expect["parts"]],
        data_coding,
        has_header,
    )
    if read != given["text"]:
        yield f"the parts join to {read!r}"


def _part_faults(wanted: Vector, part: bytes, data_coding: int, has_header: bool) -> Iterator[str]:
    """Compare one part, coded and packed; then read the expected octets back."""
    split = split_header(part) if has_header else (b"", part)
    assert split is not None, "we wrote the header"
    header, text = _in_order_of(bytes.fromhex(wanted["udh"]), split[0]), split[1]
    if data_coding == 8:
        size = {"utf16_units": len(text) // 2}
        user_data, length = header + text, len(header + text)
    else:
        size = {"septets": len(text)}
        user_data = pack_text(text, header)
        length = user_data_length(len(text), len(header))
    got = {
        "text": decode_text(text, data_coding, udh=header),
        "udh": header.hex(),
        **size,
        "smpp_short_message": (header + text).hex(),
        "tpdu_udl": length,
        "tpdu_ud": user_data.hex(),
    }
    yield from _differences(wanted, got)
    if data_coding != 8 and unpack_text(user_data[len(header) :], len(header), len(text)) != text:
        yield "packed octets do not unpack to the septets"


def _in_order_of(wanted: bytes, header: bytes) -> bytes:
    """`wanted` if it holds our elements in another order: TS 23.040 leaves the order free."""
    ours, theirs = Udh.parse(header), Udh.parse(wanted)
    if ours and theirs and sorted(ours.elements) == sorted(theirs.elements):
        return wanted
    return header


def _rejoined(parts: list[bytes], data_coding: int, has_header: bool) -> str | None:
    """Text of the parts, through the joiner, last part first."""
    joiner = Joiner()
    if len(parts) == 1:
        split = split_header(parts[0]) if has_header else (b"", parts[0])
        return None if split is None else decode_text(split[1], data_coding, udh=split[0])
    for part in reversed(parts):
        outcome = joiner.add("", part, now_ms=0, data_coding=data_coding, has_udh=True)
        if isinstance(outcome, Joined):
            return outcome.text()
    return None
