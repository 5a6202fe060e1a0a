"""Room on disk: when intake stops and when it goes on."""

from smsc.store.space import LOOK_S, Space

MIB = 1 << 20


class Host:
    """A file system and a clock that the test sets."""

    def __init__(self) -> None:
        self.free, self.size, self.now = 1000 * MIB, 2000 * MIB, 0.0
        self.looks = 0

    def look(self) -> tuple[int, int]:
        self.looks += 1
        return self.free, self.size

    def space(self) -> Space:
        return Space(100 * MIB, self.look, lambda: self.now)


def test_the_map_stops_intake_at_85_percent_until_below_80() -> None:
    space = Host().space()
    said = []
    for share in (84, 85, 82, 80, 79, 84):
        space.committed(share * MIB)
        said.append(space.why() is not None)
    assert said == [False, True, True, True, False, False]


def test_a_commit_that_did_not_fit_stops_intake_for_a_second() -> None:
    host = Host()
    space = host.space()
    space.committed(50 * MIB)
    assert "100 MiB is full" in space.map_ran_out()
    host.now = LOOK_S / 2
    assert space.why() is not None
    host.now = LOOK_S
    assert space.why() is None


def test_a_full_disk_stops_intake_until_it_has_room_again_without_any_commit() -> None:
    host = Host()
    space = host.space()
    host.free = 0
    space.disk_ran_out()
    host.now = LOOK_S
    assert space.why() == "only 0 KiB are left on the store's disk"
    host.free = 1000 * MIB
    assert space.why() is not None  # not looked at again so soon
    host.now = 2 * LOOK_S
    assert space.why() is None


def test_intake_stops_before_the_disk_is_quite_full() -> None:
    host = Host()
    space = host.space()
    space.committed(1)
    host.free, host.now = 63 * MIB, 5.0
    space.committed(1)
    assert space.why() is not None


def test_new_messages_find_no_room_before_the_rest_of_the_map_is_eaten() -> None:
    space = Host().space()
    said = []
    for share in (85, 89, 90):
        space.committed(share * MIB)
        said.append(space.refusal())
    assert said == [None, None, "the store's map of 100 MiB is full"]


def test_new_messages_find_no_room_when_half_the_reserve_is_gone() -> None:
    host = Host()
    space = host.space()
    said = []
    for free in (63, 33, 31, 70):
        host.now += LOOK_S
        host.free = free * MIB
        space.committed(1)
        said.append(space.refusal() is not None)
    assert said == [False, False, True, False]


def test_new_messages_find_room_again_without_any_commit() -> None:
    host = Host()
    space = host.space()
    host.free = 1 * MIB
    space.committed(1)
    assert space.refusal() is not None
    host.free, host.now = 1000 * MIB, LOOK_S
    assert space.refusal() is None


def test_a_small_file_system_has_a_small_reserve() -> None:
    host = Host()
    host.free, host.size = 10 * MIB, 100 * MIB
    space = host.space()
    space.committed(1)
    assert space.why() is None


def test_the_file_system_is_asked_once_a_second_at_most() -> None:
    host = Host()
    space = host.space()
    for _ in range(100):
        space.committed(1)
    assert host.looks == 1


def test_a_write_error_means_full_only_when_nearly_nothing_is_left() -> None:
    host = Host()
    space = host.space()
    assert not space.disk_is_full()
    host.free = 4096
    assert space.disk_is_full()
