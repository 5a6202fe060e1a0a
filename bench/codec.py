"""What the protocol costs: `python -m bench.codec`.

*In*: nothing.
*Out*: one line a figure: µs, the ratio to smpplib or smpp34 on the same octets in the same run,
    and the limit it is held to. smpp34 (a Rust core with a Python face) is measured where it is
    installed: `pip install smpp34`.
*Never*: a figure without the machine it was taken on.

Rivals are measured turn by turn, best of many short rounds, so that a busy machine slows both.
The codec remembers what repeats from message to message; "1000 different" shows what it costs
when recipient, text and TLVs all change.
"""

import importlib
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Any, Final

from smpplib import smpp as smpplib_smpp

from pdu import codec
from pdu.commands import Command
from pdu.framer import Framer
from pdu.message_pdus import SubmitSm
from pdu.tlvs import Tag

TEXT: Final = (
    b"Your parcel 4711 arrives today between 10:15 and 12:45. Reply STOP to end these notes.".ljust(
        100, b"."
    )
)
TLVS: Final = ((int(Tag.PRIVACY_INDICATOR), b"\1"), (int(Tag.LANGUAGE_INDICATOR), b"\1"))
MESSAGE_ID: Final = "1234567890123456789"
ROUNDS: Final = 60
CALLS: Final = 400

Pair = tuple[Callable[[], object], Callable[[], object]]
_header_of = Struct(">4xIII").unpack_from


class _SmpplibClient:
    """What smpplib asks of a client to make a PDU."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


def main() -> None:
    """Print all figures; takes about ten seconds."""
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {_processor()}, "
        f"{os.cpu_count()} cores"
    )
    pdu = build()
    octets = codec.encode(pdu, 7)
    assert len(octets) == 157
    print(f"submit_sm of {len(octets)} octets, {len(TEXT)} of text, {len(TLVS)} TLVs")
    _against_smpplib(pdu, octets)
    _against_smpp34(octets)
    _different()
    _framing(octets)


def build() -> SubmitSm:
    """The message, made as a caller makes it."""
    return codec.new_submit_sm(
        source_addr_ton=5,
        source_addr="Shop",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="4477009001",
        registered_delivery=1,
        short_message=TEXT,
        tlvs=TLVS,
    )


def _against_smpplib(pdu: SubmitSm, octets: bytes) -> None:
    body = octets[16:]
    client = _SmpplibClient()
    theirs = smpplib_smpp.parse_pdu(octets, client=client)
    for field in ("service_type", "source_addr", "destination_addr"):
        setattr(theirs, field, getattr(pdu, field))
    theirs.schedule_delivery_time = theirs.validity_period = ""
    assert theirs.generate() == octets
    numbers, ids = [7] * 100, [MESSAGE_ID.encode()] * 100

    def parse() -> object:
        return smpplib_smpp.parse_pdu(octets, client=client)

    def respond() -> object:
        made = smpplib_smpp.make_pdu(
            "submit_sm_resp", client=client, sequence=7, message_id=MESSAGE_ID
        )
        return made.generate()

    assert codec.submit_sm_oks(numbers[:1], ids[:1]) == respond()
    peek, decode, encode = codec.peek_submit_sm, codec.decode, codec.encode
    _compare("lazy decode", "smpplib", (lambda: peek(body), parse), at_least=25)
    _compare("decode all", "smpplib", (lambda: decode(4, body), parse), at_least=12)
    _compare("encode", "smpplib", (lambda: encode(pdu, 7), theirs.generate), at_least=30)
    _compare(
        "submit_sm_resp, of 100",
        "smpplib",
        (lambda: codec.submit_sm_oks(numbers, ids), respond),
        at_least=100,
        ours_at_once=100,
    )


def _against_smpp34(octets: bytes) -> None:
    if importlib.util.find_spec("smpp34") is None:
        print("smpp34 is not installed: not compared")
        return
    rival: Any = importlib.import_module("smpp34")
    decode, encode = codec.decode, codec.encode

    def decode_and_read() -> object:
        command_id, command_status, sequence_number = _header_of(octets)
        return _read(decode(command_id, octets[16:], command_status)), sequence_number

    def rival_decode_and_read() -> object:
        made = rival.decode(octets)
        return _read(made), made.sequence_number

    def rival_build_and_encode() -> bytes:
        made: bytes = rival.SubmitSm(
            "Shop",
            "4477009001",
            TEXT,
            source_addr_ton=5,
            dest_addr_ton=1,
            dest_addr_npi=1,
            registered_delivery=1,
            tlvs=[rival.Tlv(tag, value) for tag, value in TLVS],
            sequence_number=7,
        ).encode()
        return made

    assert rival_build_and_encode() == octets
    _compare("decode + read 19", "smpp34", (decode_and_read, rival_decode_and_read), at_least=1)
    _compare(
        "build + encode",
        "smpp34",
        (lambda: encode(build(), 7), rival_build_and_encode),
        at_least=1,
    )


def _read(pdu: Any) -> object:
    """Touch every field."""
    _ = (pdu.service_type, pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)
    _ = (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr, pdu.esm_class)
    _ = (pdu.protocol_id, pdu.priority_flag, pdu.schedule_delivery_time, pdu.validity_period)
    _ = (pdu.registered_delivery, pdu.replace_if_present_flag, pdu.data_coding)
    return (pdu.sm_default_msg_id, pdu.short_message, pdu.tlvs)


def _different() -> None:
    """Recipient, text and TLVs change with every message; the sender stays."""
    pdus = [
        SubmitSm(
            source_addr_ton=5,
            source_addr="Shop",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=f"4477{number:06}",
            registered_delivery=1,
            short_message=TEXT[: number % 100],
            tlvs=((Tag.USER_MESSAGE_REFERENCE, number.to_bytes(2, "big")), TLVS[0]),
        )
        for number in range(0, 60_000, 60)
    ]
    bodies = [codec.encode_body(pdu) for pdu in pdus]
    peek, decode, encode = codec.peek_submit_sm, codec.decode, codec.encode

    def peek_all() -> None:
        for body in bodies:
            peek(body)

    def decode_all() -> None:
        for body in bodies:
            decode(Command.SUBMIT_SM, body)

    def encode_all() -> None:
        for pdu in pdus:
            encode(pdu, 7)

    for what, call in (("lazy", peek_all), ("decode", decode_all), ("encode", encode_all)):
        best_s = min(_round_s(call, 1) for _ in range(ROUNDS))
        _line(f"1000 different: {what}", best_s / len(pdus) * 1e6)


def _framing(octets: bytes) -> None:
    count = 65536 // len(octets)
    data = octets * count

    def feed() -> int:
        return len(Framer().feed(data))

    assert feed() == count
    best_us = min(_round_s(feed, 5) for _ in range(ROUNDS)) / 5 / count * 1e6
    limit_us = 0.3
    verdict = "kept" if best_us <= limit_us else "MISSED"
    _line("framing, per PDU of a 64 KiB read", best_us, f"(≤ {limit_us}: {verdict})")


def _compare(what: str, rival: str, pair: Pair, *, at_least: float, ours_at_once: int = 1) -> None:
    """Our cost and the rival's, turn by turn; ``at_least`` is how many times faster we must be."""
    ours_s = theirs_s = float("inf")
    slow_calls = max(CALLS // 10, 1)
    ours, theirs = pair
    for _ in range(ROUNDS):
        ours_s = min(ours_s, _round_s(ours, CALLS // min(ours_at_once, 10)))
        theirs_s = min(theirs_s, _round_s(theirs, slow_calls))
    ours_us = ours_s / (CALLS // min(ours_at_once, 10)) / ours_at_once * 1e6
    theirs_us = theirs_s / slow_calls * 1e6
    ratio = theirs_us / ours_us
    verdict = "kept" if ratio >= at_least else "MISSED"
    _line(what, ours_us, f"{rival} {theirs_us:6.2f} µs = {ratio:6.2f} × (≥ {at_least}: {verdict})")


def _round_s(call: Callable[[], object], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - started


def _line(what: str, figure_us: float, more: str = "") -> None:
    print(f"{what:<36}{figure_us:8.3f} µs  {more}".rstrip())


def _processor() -> str:
    """Model of the processor where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    main()
