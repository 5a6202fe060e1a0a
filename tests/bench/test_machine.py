"""What figures were taken on."""

import os
from pathlib import Path

from bench import machine


def test_facts_name_machine_software_and_disk_but_no_place(tmp_path: Path) -> None:
    facts = machine.facts(tmp_path)
    assert facts["cores"] == len(os.sched_getaffinity(0))
    assert all(facts[name] for name in ("cpu", "kernel", "python", "lmdb", "file_system"))
    told = " ".join(map(str, facts.values()))
    assert str(tmp_path) not in told
    assert os.uname().nodename not in told.split()


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    assert machine.file_system(Path("/proc/self")) == "proc"
    assert machine.file_system(Path("/")) != "proc"


def test_file_systems_in_memory_are_known() -> None:
    assert machine.is_in_memory("tmpfs")
    assert not machine.is_in_memory("ext4")
