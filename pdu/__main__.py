"""``python -m pdu``: the protocol for people: explain a PDU, run test vectors, price a text.

*In*: arguments.
*Out*: lines on standard output; exit status 1 when a vector fails, 2 for arguments that make
no sense.
*Never*: the network, the clock.
"""

import argparse
import json
import sys
from pathlib import Path

from pdu.explain import as_data, as_text, explain
from pdu.text.errors import TextError
from pdu.text.report import report
from pdu.vectors import run


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the return value is the exit status."""
    given = _parser().parse_args(arguments)
    match given.command:
        case "explain":
            return _explain("".join(given.hex), as_json=given.json)
        case "vectors":
            return _vectors(given.file)
        case _:
            return _text(given.text, transliterate=given.transliterate, national=given.national)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pdu", description="SMPP for people.")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("explain", help="annotate a PDU, every octet accounted for")
    one.add_argument("hex", nargs="+", help="the octets in hex; blanks are ignored")
    one.add_argument("--json", action="store_true", help="the same for machines")
    one = commands.add_parser("vectors", help="run a file of test vectors")
    one.add_argument("file", type=Path, help="one JSON object a line")
    one = commands.add_parser("text", help="say what a text costs")
    one.add_argument("text")
    one.add_argument(
        "--transliterate", action="store_true", help="replace characters to stay in GSM 7-bit"
    )
    one.add_argument(
        "--national",
        action="append",
        default=[],
        metavar="LANGUAGE",
        help="allow this national table; may be repeated",
    )
    return parser


def _explain(given: str, *, as_json: bool) -> int:
    try:
        octets = bytes.fromhex("".join(given.split()))
    except ValueError as error:
        print(f"not hex: {error}", file=sys.stderr)
        return 2
    parts = explain(octets)
    print(json.dumps(as_data(parts), indent=1) if as_json else as_text(parts))
    return 0


def _vectors(file: Path) -> int:
    """One line for each failure, then the count."""
    passed = failed = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for outcome in run(lines):
                if outcome.failure is None:
                    passed += 1
                else:
                    failed += 1
                    print(f"{outcome.name}: {' '.join(outcome.failure.split())}")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{file}: {error}", file=sys.stderr)
        return 2
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _text(text: str, *, transliterate: bool, national: list[str]) -> int:
    try:
        print(report(text, transliterate=transliterate, national=national))
    except TextError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
