"""What figures were taken on: without these facts they mean nothing.

*In*: the directory whose disk is measured. *Out*: facts by name, for print and JSON.
*Never*: names of hosts, users or paths: results are committed.
"""

import os
import platform
import random
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Final

import lmdb

_SYNCS: Final = 40
_PAGE: Final = bytes(4096)
_FAR: Final = 2_000_000
_NEAR: Final = 1000
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


def facts(directory: Path) -> dict[str, str | int | float]:
    """The machine, the software, and the disk of `directory`."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "trio": version("trio"),
        "lmdb": ".".join(map(str, lmdb.version())),
        "file_system": file_system(directory),
        "fdatasync_ms": round(fdatasync_ms(directory), 3),
        "cache_miss_ns": round(cache_miss_ns(), 1),
    }


def file_system(directory: Path) -> str:
    """Type of the file system that holds `directory`, as proc(5) mounts names it."""
    here = directory.resolve()
    best, kind = Path("/"), "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, type_, *_ = line.split(" ")
        mount = Path(place.encode().decode("unicode_escape"))
        if here.is_relative_to(mount) and len(mount.parts) >= len(best.parts):
            best, kind = mount, type_
    return kind


def is_in_memory(kind: str) -> bool:
    """Whether fsync means nothing on this type of file system."""
    return kind in _IN_MEMORY


def fdatasync_ms(directory: Path) -> float:
    """Median time in ms to get one appended page of 4 KiB to the disk."""
    took: list[float] = []
    with tempfile.TemporaryFile(dir=directory, buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(_PAGE)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return statistics.median(took) * 1e3


def cache_miss_ns() -> float:
    """Mean time in ns to reach what lies in no near cache.

    On a virtual machine the far cache and the memory are shared with strangers: rates change by a
    third between two minutes, while a small loop takes the same time.
    """
    far = [float(number) for number in range(_FAR)]
    order = list(range(_FAR))
    random.Random(1).shuffle(order)
    near = [number % _NEAR for number in order]
    return max(0.0, _visit_s(far, order) - _visit_s(far, near)) / (2 * _FAR) * 1e9


def _visit_s(items: list[float], order: list[int]) -> float:
    """Look at the items in this order: the list's place for each, and the object."""
    started = time.perf_counter()
    for at in order:
        items[at]
    return time.perf_counter() - started


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
