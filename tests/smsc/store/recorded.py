"""A gateway whose writes are recorded, and the disks that a power cut could have left.

`recorder.c` logs every write and sync of the store's file and every octet sent to a client.
A power cut keeps what was synced; of the rest it keeps nothing, or any part in any order.
"""

import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from smsc.message import MessageId
from smsc.store.audit import audit
from smsc.store.opening import DATA_FILE, StoreOpenError
from tests.smsc.store.houses import LmdbHouse

_HEAD = struct.Struct("=cqq")
_PDU = struct.Struct(">IIII")
_SUBMIT_SM_RESP = 0x80000004
_SECTOR = 512


def build_recorder(directory: Path) -> Path:
    """Compile `recorder.c`; skips the test, loudly, where nothing can compile it."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("NOT TESTED: that the fsync is really there; it needs Linux and a C compiler")
    source = Path(__file__).with_name("recorder.c")
    library = directory / "recorder.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"]
    command = [compiler, *flags, "-o", str(library), str(source), "-ldl", "-lpthread"]
    subprocess.run(command, check=True)
    return library


@attrs.frozen
class Moment:
    """What had been answered, written and synced by then."""

    answered: frozenset[int]
    """All ids that were answered ESME_ROK so far."""
    durable: bytes
    pending: tuple[tuple[int, bytes], ...]
    """Writes since the last sync: (offset, octets)."""

    def disk(self, rng: random.Random | None) -> bytes:
        """The file after a power cut: without the pending writes, or with any part of them."""
        image = bytearray(self.durable)
        if rng is not None:
            sectors = [
                (offset + at, octets[at : at + _SECTOR])
                for offset, octets in self.pending
                for at in range(0, len(octets), _SECTOR)
            ]
            for offset, octets in rng.sample(sectors, rng.randrange(len(sectors) + 1)):
                _write(image, offset, octets)
        return bytes(image)


def moments(log: Path) -> Iterator[Moment]:
    """The moments to cut the power at: before each sync, and when a client was told something."""
    durable = bytearray()
    pending: list[tuple[int, bytes]] = []
    answered: frozenset[int] = frozenset()
    for kind, offset, octets in _entries(log.read_bytes()):
        if kind == b"W":
            pending.append((offset, octets))
        elif kind == b"D":
            _write(durable, offset, octets)
        elif kind == b"S":
            yield Moment(answered, bytes(durable), tuple(pending))
            for at, written in pending:
                _write(durable, at, written)
            pending.clear()
        elif new := set(_accepted(octets)):
            answered |= new
            yield Moment(answered, bytes(durable), tuple(pending))


def lost(image: bytes, answered: frozenset[int], data_dir: Path) -> set[int]:
    """Which answered messages a gateway that starts on this disk does not have."""
    shutil.rmtree(data_dir, ignore_errors=True)
    data_dir.mkdir()
    (data_dir / DATA_FILE).write_bytes(image)
    try:
        house = LmdbHouse(data_dir)
    except StoreOpenError:
        return set(answered)
    ids = [MessageId(id_) for id_ in answered]
    found = zip(ids, house.store.messages(ids), house.store.progresses(ids), strict=True)
    missing: set[int] = {
        id_ for id_, message, progress in found if message is None or progress is None
    }
    house.close()
    assert missing or audit(data_dir).is_sound
    return missing


def _entries(octets: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(octets):
        kind, offset, length = _HEAD.unpack_from(octets, at)
        at += _HEAD.size
        yield kind, offset, octets[at : at + length]
        at += length


def _accepted(sent: bytes) -> Iterator[int]:
    """Ids in the submit_sm_resp PDUs with ESME_ROK among what was sent."""
    at = 0
    while at + _PDU.size < len(sent):
        length, command_id, status, _ = _PDU.unpack_from(sent, at)
        if command_id == _SUBMIT_SM_RESP and not status:
            yield int(sent[at + _PDU.size : at + length].split(b"\x00")[0])
        at += max(length, _PDU.size)


def _write(image: bytearray, offset: int, octets: bytes) -> None:
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(octets)] = octets
