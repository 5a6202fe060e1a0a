"""A small file system for a test: tmpfs, which needs root; skips loudly where that is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(disk: Path, size_mb: int) -> Iterator[Path]:
    """The directory `disk` as a file system of its own."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "none", str(disk)]
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("NOT TESTED: a full disk; mounting a small one needs root")
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("NOT TESTED: a full disk; this machine does not let root mount one")
    try:
        yield disk
    finally:
        # Lazy: a store that a failed test left open must not keep the mount.
        subprocess.run(["umount", "-l", str(disk)], check=True)


def resize(disk: Path, size_mb: int) -> None:
    """Make it larger while it is in use."""
    subprocess.run(["mount", "-o", f"remount,size={size_mb}m", str(disk)], check=True)
