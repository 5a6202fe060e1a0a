"""Fuzz target: any octets, through framer, both codecs, the lazy decode and the explainer.

*In*: octets from atheris (`make fuzz`), or from files named as arguments.
*Out*: silence, or the first broken claim.
*Never*: a claim about values; the tests make those.

Claims: nothing but `BodyError` leaves a decoder; both codecs say the same; what decodes encodes
to the same octets; the explanation covers every octet.
Run: `python tests/pdu/fuzz_codec.py -max_total_time=60`.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from pdu import codec, reference
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.explain import explain
from pdu.fields import Pdu
from pdu.framer import Framer

_VECTORS = Path(__file__).parent.parent / "vectors" / "vectors.jsonl"
_PEEKS = {Command.SUBMIT_SM: codec.peek_submit_sm, Command.DELIVER_SM: codec.peek_deliver_sm}


def one_input(octets: bytes) -> None:
    """Raise `AssertionError`, or anything the codec should not, when a claim is broken."""
    for command_id, command_status, sequence_number, body in Framer().feed(octets):
        fast = _outcome(codec.decode, command_id, body)
        assert fast == _outcome(reference.decode, command_id, body)
        if isinstance(fast, Pdu):
            again = codec.encode(fast, sequence_number, command_status)
            assert again == codec.pack(command_id, command_status, sequence_number, body)
        peek: Any = _PEEKS.get(command_id)  # type: ignore[call-overload]  # any number may come
        if peek is not None:
            seen = _outcome(lambda _, given, peek=peek: peek(given), command_id, body)
            assert isinstance(fast, Pdu) or seen == fast
    parts = explain(octets)
    assert b"".join(part.octets for part in parts) == octets


def seeds() -> list[bytes]:
    """The octets of all vectors: from these the fuzzer sets out."""
    lines = _VECTORS.read_text(encoding="utf-8").splitlines()
    return [bytes.fromhex(vector["hex"]) for vector in map(json.loads, lines) if "hex" in vector]


def main() -> None:
    """With file names: each once. Else atheris, with its own arguments."""
    files = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    if files and all(file.is_file() for file in files):
        for file in files:
            one_input(file.read_bytes())
        return
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # only for this

    with tempfile.TemporaryDirectory() as corpus:
        for number, octets in enumerate(seeds()):
            (Path(corpus) / str(number)).write_bytes(octets)
        atheris.instrument_all()
        atheris.Setup([*sys.argv, corpus], one_input)
        atheris.Fuzz()


def _outcome(decode: Any, command_id: int, body: bytes) -> Any:
    try:
        return decode(command_id, body)
    except BodyError as error:
        return error.status, error.field, error.why


if __name__ == "__main__":
    main()
