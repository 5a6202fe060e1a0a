"""Parting: sizes, seams, headers, limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.text.alphabet import Alphabet
from pdu.text.clusters import joined
from pdu.text.coding import choose, decode_text
from pdu.text.errors import TextError, TooManyParts
from pdu.text.packing import pack_short_message, unpack_short_message
from pdu.text.segmenter import (
    count_parts,
    last_part,
    message_payload,
    part_room,
    room,
    segment,
    segment_sar,
)
from pdu.text.udh import Udh, split_header

CLUSTERS = [
    "e\u0301",
    "👨\u200d👩\u200d👧\u200d👦",
    "👍🏽",
    "🇨🇭",
    "❤\ufe0f",
    "क्षि",
    "\u1112\u1161\u11ab",
    "\r\n",
    "0\ufe0f\u20e3",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
]
TEXTS = st.lists(
    st.one_of(
        st.sampled_from([*CLUSTERS, "a" * 50, "€" * 20, "я" * 40, "😀" * 15]), st.text(max_size=40)
    ),
    max_size=20,
).map("".join)


def headers_and_texts(parts: list[bytes]) -> list[tuple[bytes, bytes]]:
    split = [split_header(part) for part in parts]
    assert None not in split
    return [pair for pair in split if pair]


@pytest.mark.parametrize(
    ("alphabet", "header_octets", "octets"),
    [
        (Alphabet.GSM7, 0, 160),
        (Alphabet.GSM7, 6, 153),
        (Alphabet.GSM7, 7, 152),
        (Alphabet.GSM7, 4, 155),
        (Alphabet.GSM7, 9, 149),
        (Alphabet.GSM7, 12, 146),
        (Alphabet.GSM7, 13, 145),
        (Alphabet.ASCII, 6, 153),
        (Alphabet.UCS2, 0, 140),
        (Alphabet.UCS2, 6, 134),
        (Alphabet.UCS2, 7, 132),
        (Alphabet.UCS2, 12, 128),
        (Alphabet.OCTETS, 6, 134),
        (Alphabet.OCTETS, 7, 133),
        (Alphabet.LATIN1, 0, 140),
    ],
)
def test_room(alphabet: Alphabet, header_octets: int, octets: int) -> None:
    assert room(alphabet, header_octets) == octets


def test_part_room_counts_what_every_part_repeats() -> None:
    assert part_room(Alphabet.GSM7) == 153
    assert part_room(Alphabet.GSM7, wide_reference=True) == 152
    assert part_room(Alphabet.GSM7, bytes.fromhex("06240106250106")) == 146
    assert part_room(Alphabet.OCTETS, bytes.fromhex("0605040b8423f0")) == 128
    # An old concatenation gives way to ours.
    assert part_room(Alphabet.GSM7, bytes.fromhex("050003cc0201")) == 153


def test_one_part_has_no_header() -> None:
    assert segment(b"a" * 160) == [b"a" * 160]
    assert segment(b"") == [b""]
    assert segment(b"\x04\x1f" * 70, 8) == [b"\x04\x1f" * 70]
    assert segment(b"\xff" * 140, 4) == [b"\xff" * 140]


def test_concatenation_headers() -> None:
    narrow = segment(b"a" * 161, 0, 0x1CC)
    assert [part[:6].hex() for part in narrow] == ["050003cc0201", "050003cc0202"]
    assert [len(part) for part in narrow] == [159, 14]
    wide = segment(b"a" * 161, 0, 0x1CC, wide_reference=True)
    assert [part[:7].hex() for part in wide] == ["06080401cc0201", "06080401cc0202"]
    assert [len(part) for part in wide] == [159, 16]
    octets = segment(bytes(range(256)), 4, 1)
    assert b"".join(part[6:] for part in octets) == bytes(range(256))
    assert [len(part) for part in octets] == [140, 128]


def test_a_header_that_stands_already_is_kept_in_every_part() -> None:
    ports = bytes.fromhex("0605040b8423f0")
    assert segment(b"x" * 133, 4, 9, udh=ports) == [ports + b"x" * 133]
    parts = segment(b"x" * 134, 4, 9, udh=ports)
    assert [part[:12].hex() for part in parts] == [
        "0b00030902010504" + "0b8423f0",
        "0b00030902020504" + "0b8423f0",
    ]
    assert [len(part) for part in parts] == [140, 18]
    old = bytes.fromhex("0b0003770503") + ports[1:]
    assert segment(b"x" * 134, 4, 9, udh=old) == parts


def test_bad_headers_are_named() -> None:
    with pytest.raises(TextError, match="do not add up"):
        segment(b"a", udh=b"\x05\x00")
    crowded = bytes([135, 0x70, 133]) + bytes(133)
    assert segment(b"abcd", udh=crowded) == [crowded + b"abcd"]
    with pytest.raises(TextError, match="leaves no room"):
        segment(b"a" * 200, udh=crowded)


def test_more_than_255_parts_is_an_error_with_the_count() -> None:
    assert len(segment(b"a" * 153 * 255)) == 255
    with pytest.raises(TooManyParts, match="256 parts") as caught:
        segment(b"a" * (153 * 255 + 1))
    assert caught.value.parts == 256
    with pytest.raises(TooManyParts):
        segment_sar(b"\x00a" * 67 * 256, 8)
    assert count_parts(b"a" * (153 * 255 + 1)) == 256


def test_escape_pairs_stay_whole() -> None:
    data = b"a" * 152 + b"\x1be" * 100
    parts = [text for _, text in headers_and_texts(segment(data))]
    assert parts[0] == b"a" * 152
    assert parts[1] == b"\x1be" * 76
    assert b"".join(parts) == data


def test_a_run_of_escapes_is_read_in_pairs() -> None:
    # 0x1B 0x1B is a pair of its own (one space): 76 pairs and "a" fill a part.
    data = b"a" + b"\x1b\x1b" * 100
    parts = [text for _, text in headers_and_texts(segment(data))]
    assert [len(part) for part in parts] == [153, 48]
    data = b"\x1b\x1b" * 100
    assert [len(p) for _, p in headers_and_texts(segment(data))] == [152, 48]


def test_cr_lf_stays_whole_also_behind_an_escape() -> None:
    data = b"a" * 152 + b"\r\n" + b"b" * 20
    assert [len(p) for _, p in headers_and_texts(segment(data))] == [152, 22]
    data = b"a" * 151 + b"\x1b\r\n" + b"b" * 20
    assert [len(p) for _, p in headers_and_texts(segment(data))] == [151, 23]


def test_a_cluster_larger_than_a_part_is_cut_between_characters() -> None:
    text = "e" + "\u0301" * 100
    parts = segment(text.encode("utf-16-be"), 8)
    assert [len(text) // 2 for _, text in headers_and_texts(parts)] == [67, 34]
    flags = "🇨" * 100
    texts = [text for _, text in headers_and_texts(segment(flags.encode("utf-16-be"), 8))]
    assert [len(text) for text in texts] == [128, 128, 128, 16], "flags are pairs, pairs stay whole"


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("before", range(60, 72))
def test_clusters_move_to_the_next_part(cluster: str, before: int) -> None:
    text = "я" * before + cluster + "я" * 40
    parts = segment(text.encode("utf-16-be"), 8)
    texts = [decode_text(data, 8) for _, data in headers_and_texts(parts)]
    assert "".join(texts) == text
    assert any(cluster in part for part in texts)


def test_clusters_of_national_tables() -> None:
    text = "न" * 148 + "मि" + "न" * 10
    choice = choose(text, national=["hindi"])
    assert choice.udh.hex() == "03250106"
    parts = headers_and_texts(segment(choice.data, udh=choice.udh))
    texts = [decode_text(data, 0, udh=header) for header, data in parts]
    assert texts == ["न" * 148, "मि" + "न" * 10]


def test_characters_of_two_octets_stay_whole() -> None:
    text = "a" + "あ" * 100
    for data_coding, codec in ((5, "shift_jis"), (0x0D, "euc_jp"), (0x0E, "euc_kr")):
        parts = headers_and_texts(segment(text.encode(codec), data_coding))
        assert [len(data) for _, data in parts] == [133, 68]
        assert "".join(decode_text(data, data_coding) for _, data in parts) == text
    # 0xA4D4 alone is no character of KS C 5601: octets that are no text are sliced.
    for torn, data_coding in ((b"\x82" * 300, 5), (b"\xa4\xd4" * 150, 0x0E)):
        assert b"".join(data for _, data in headers_and_texts(segment(torn, data_coding))) == torn


@given(TEXTS, st.booleans(), st.sampled_from([(), ("turkish",), ("hindi", "portuguese")]))
def test_any_text(text: str, wide: bool, national: tuple[str, ...]) -> None:
    choice = choose(text, national=national)
    parts = segment(choice.data, choice.data_coding, 7, wide_reference=wide, udh=choice.udh)
    args = {"wide_reference": wide, "udh": choice.udh}
    assert len(parts) == count_parts(choice.data, choice.data_coding, **args)  # type: ignore[arg-type]
    if len(parts) == 1:
        assert parts == [choice.udh + choice.data]
        return
    alphabet = Alphabet.UCS2 if choice.data_coding else Alphabet.GSM7
    size = part_room(alphabet, choice.udh, wide_reference=wide)
    pairs = headers_and_texts(parts)
    assert b"".join(data for _, data in pairs) == choice.data
    if choice.data_coding:
        # Strict: a torn surrogate pair would raise.
        texts = [data.decode("utf-16-be") for _, data in pairs]
        whole = choice.data.decode("utf-16-be")
    else:
        texts = [decode_text(data, 0, udh=choice.udh) for _, data in pairs]
        whole = choice.text
    assert "".join(texts) == whole, "no pair was torn"
    at = 0
    for number, (header, data) in enumerate(pairs, 1):
        parsed = Udh.parse(header)
        assert parsed is not None
        assert parsed.concat is not None
        assert parsed.concat[:3] == (7, len(parts), number)
        assert 0 < len(data) <= size
        at += len(texts[number - 1])
        if number < len(parts):
            assert not joined(whole, at) or _fills_a_part(whole, at, texts[number - 1]), (
                "torn cluster"
            )
    left = last_part(choice.data, alphabet, choice.udh, wide_reference=wide)
    assert left == (len(parts), size - len(pairs[-1][1]))


def _fills_a_part(text: str, at: int, part: str) -> bool:
    """The part holds nothing but the cluster that goes on at the cut."""
    return all(joined(text, at - back) for back in range(len(part)) if at - back > 0)


@given(st.binary(max_size=700), st.integers(0, 255))
def test_any_octets_in_any_coding_are_parted_without_loss(data: bytes, data_coding: int) -> None:
    parts = segment(data, data_coding)
    if len(parts) > 1:
        assert b"".join(text for _, text in headers_and_texts(parts)) == data
    bare = segment_sar(data, data_coding, 5)
    assert b"".join(part.short_message for part in bare) == data
    assert [part[:3] for part in bare] == [(5, len(bare), n) for n in range(1, len(bare) + 1)]


def test_sar_parts_leave_room_for_the_header_to_come() -> None:
    parts = segment_sar(b"a" * 161, 0, 0x11234)
    assert [(p[:3], len(p.short_message)) for p in parts] == [
        ((0x1234, 2, 1), 153),
        ((0x1234, 2, 2), 8),
    ]


def test_packed_accounts_are_parted_as_septets() -> None:
    assert len(segment(b"a" * 160, 0, default=Alphabet.GSM7_PACKED)) == 1
    assert segment(b"a" * 161, 0, default=Alphabet.GSM7_PACKED) == segment(b"a" * 161)


def test_message_payload() -> None:
    assert message_payload(b"a" * 1000) == b"a" * 1000
    assert message_payload(b"text", bytes.fromhex("03240101")) == b"\x03\x24\x01\x01text"
    with pytest.raises(TextError, match="65536 octets"):
        message_payload(b"a" * 65536)


@pytest.mark.parametrize("udh", [b"", b"\4\5\2\1\1"])
@pytest.mark.parametrize("is_wide", [False, True])
@pytest.mark.parametrize("text", [b"a" * 159 + b"\r", b"a\r" * 300, b"ab\r" * 200, b"\x1b\r" * 400])
def test_packed_parts_fit_though_their_last_cr_is_doubled(
    text: bytes, is_wide: bool, udh: bytes
) -> None:
    packed = Alphabet.GSM7_PACKED
    parts = segment(text, 0, 7, wide_reference=is_wide, udh=udh, default=packed)
    assert len(parts) == count_parts(text, 0, wide_reference=is_wide, udh=udh, default=packed) > 1
    octets = [pack_short_message(part, has_udh=True) for part in parts]
    assert max(map(len, octets)) <= 140
    arrived = [unpack_short_message(one, has_udh=True) for one in octets]
    assert b"".join(part[part[0] + 1 :] for part in arrived) == text


def test_packed_text_without_a_last_cr_has_160_septets() -> None:
    text = b"a\r" * 79 + b"bc"
    assert segment(text, default=Alphabet.GSM7_PACKED) == [text]
