"""Runs a file of test vectors: one JSON object a line, kinds as the reference's README lists.

*In*: lines of a vectors file.
*Out*: for each the failure in one sentence, or None.
*Never*: knowledge of a particular vector: whatever has the schema is judged by the rules.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from pdu import codec, reference
from pdu.commands import command_name
from pdu.errors import BodyError
from pdu.framer import Frame, Framer
from pdu.operations import SessionState
from pdu.plain import body_as_dict, tlvs_as_list
from pdu.text_vectors import CHECKS as TEXT_CHECKS
from pdu.verdict import Verdict, World, judge, judge_framing

Vector = dict[str, Any]

# The world that the reference's session vectors speak of: one account, and the day when its
# dates, written for the near future, lie ahead. Fixed, so that vectors do not age.
WORLD: Final = World(
    passwords={"esme01": "secret08"},
    now_ms=int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()) * 1000,
)


class Outcome(NamedTuple):
    """``failure`` is None when the vector holds."""

    name: str
    failure: str | None


def run(lines: Iterable[str]) -> Iterator[Outcome]:
    """Judge each line; blank ones count for nothing.

    An error inside a check is a failure of that vector, not of the run.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            name = f"line {number}"
            try:
                vector = json.loads(line)
                name = str(vector.get("id", name))
                failure = _judge(vector)
            except Exception as error:  # noqa: BLE001  # one broken vector must not hide the others
                failure = f"{type(error).__name__}: {error}"
            yield Outcome(name, failure)


def _judge(vector: Vector) -> str | None:
    check = CHECKS.get(vector["kind"])
    return f"unknown kind {vector['kind']!r}" if check is None else check(vector)


def check_pdu(vector: Vector) -> str | None:
    """Decode to the expected values, by both codecs, and encode back to the same octets."""
    octets = bytes.fromhex(vector["hex"])
    framer = Framer()
    frames = framer.feed(octets)
    if framer.error is not None:
        return str(framer.error)
    if len(frames) != 1 or framer.pending_octets:
        return f"{len(frames)} PDUs and {framer.pending_octets} octets left"
    command_id, command_status, sequence_number, body = frames[0]
    try:
        pdu = codec.decode(command_id, body, command_status)
    except BodyError as error:
        return str(error)
    if pdu != reference.decode(command_id, body, command_status):
        return "the two codecs disagree"
    got = {
        "command": command_name(command_id),
        "command_length": len(octets),
        "command_id": command_id,
        "command_status": command_status,
        "sequence_number": sequence_number,
        "body": body_as_dict(pdu),
        "tlvs": tlvs_as_list(pdu.tlvs),
    }
    for key, wanted in vector["expect"].items():
        if key in got and got[key] != wanted:
            return f"{key} is {got[key]!r}, not {wanted!r}"
    again = codec.encode(pdu, sequence_number, command_status)
    return None if again == octets else f"encodes to {again.hex()}"


def check_malformed(vector: Vector) -> str | None:
    """The message centre's answer is one that the vector allows."""
    expect = vector["expect"]
    verdict = _first_verdict(bytes.fromhex(vector["hex"]), SessionState[vector["state"]])
    if verdict.close != expect.get("close", False) and not (
        verdict.close and expect.get("close_allowed")
    ):
        return f"close is {verdict.close}: {verdict.why}"
    response = None if verdict.response is None else command_name(verdict.response)
    if response is None and expect.get("response_optional"):
        return None
    wanted = expect.get("response")
    if response not in {wanted, expect.get("alt_response", wanted)}:
        return f"response is {response}, not {wanted}: {verdict.why}"
    if response is None:
        return None
    if verdict.status not in expect["command_status_any_of"]:
        statuses = expect["command_status_any_of"]
        return f"status is {verdict.status}, not of {statuses}: {verdict.why}"
    wanted_sequence = expect.get("sequence_number", verdict.sequence_number)
    if verdict.sequence_number != wanted_sequence:
        return f"sequence_number is {verdict.sequence_number}, not {wanted_sequence}"
    return None


def check_framing(vector: Vector) -> str | None:
    """The PDUs of these reads in order, and whether the connection closes."""
    framer = Framer()
    frames: list[Frame] = []
    for chunk in vector["chunks_hex"]:
        frames += framer.feed(bytes.fromhex(chunk))
    got = [[_frame_name(frame), frame[2]] for frame in frames]
    if got != vector["expect"]["pdus"]:
        return f"PDUs are {got!r}, not {vector['expect']['pdus']!r}"
    close = framer.error is not None
    return None if close == vector["expect"]["close"] else f"close is {close}"


def _first_verdict(octets: bytes, state: SessionState) -> Verdict:
    framer = Framer()
    frames = framer.feed(octets)
    if frames:
        return judge(frames[0], state, WORLD)
    if framer.error is not None:
        return judge_framing(framer.error)
    return Verdict(None, why=f"{framer.pending_octets} octets of an unfinished PDU")


def _frame_name(frame: Frame) -> str:
    """Names an operation, or says how an unknown one is answered."""
    command_id = frame[0]
    if command_id in codec.KNOWN:
        return command_name(command_id)
    verdict = judge(frame, SessionState.BOUND_TRX, WORLD)
    if verdict.response is None:
        return f"unknown 0x{command_id:x}"
    return f"unknown 0x{command_id:x} -> {command_name(verdict.response)} {verdict.status}"


CHECKS: Final[dict[str, Callable[[Vector], str | None]]] = {
    "pdu": check_pdu,
    "malformed": check_malformed,
    "framing": check_framing,
    **TEXT_CHECKS,
}
