"""data_coding: alphabets, classes, message waiting."""

import pytest

from pdu.text.alphabet import (
    Alphabet,
    MessageClass,
    Waiting,
    alphabet_of,
    deletes_itself,
    message_class,
    tp_dcs,
    waiting_indication,
    with_class,
)

A = Alphabet


@pytest.mark.parametrize(
    ("data_coding", "alphabet", "wanted_class"),
    [
        (0x00, A.GSM7, None),
        (0x01, A.ASCII, None),
        (0x02, A.OCTETS, None),
        (0x03, A.LATIN1, None),
        (0x04, A.OCTETS, None),
        (0x05, A.JIS, None),
        (0x06, A.CYRILLIC, None),
        (0x07, A.HEBREW, None),
        (0x08, A.UCS2, None),
        (0x0A, A.ISO_2022_JP, None),
        (0x0B, A.GSM7, None),
        (0x0D, A.EXTENDED_KANJI, None),
        (0x0E, A.KS_C_5601, None),
        (0x10, A.GSM7, 0),
        (0x11, A.GSM7, 1),
        (0x15, A.OCTETS, 1),
        (0x18, A.UCS2, 0),
        (0x19, A.UCS2, 1),
        (0x1C, A.GSM7, 0),
        (0x20, A.OCTETS, None),  # compressed
        (0x31, A.OCTETS, 1),
        (0x40, A.GSM7, None),
        (0x48, A.UCS2, None),
        (0x5A, A.UCS2, 2),
        (0x80, A.GSM7, None),
        (0xB8, A.GSM7, None),
        (0xC0, A.GSM7, None),
        (0xD8, A.GSM7, None),
        (0xE0, A.UCS2, None),
        (0xF0, A.GSM7, 0),
        (0xF4, A.OCTETS, 0),
        (0xF6, A.OCTETS, 2),
        (0xF7, A.OCTETS, 3),
        (0xFF, A.OCTETS, 3),
    ],
)
def test_alphabet_and_class(data_coding: int, alphabet: Alphabet, wanted_class: int | None) -> None:
    assert alphabet_of(data_coding) is alphabet
    assert message_class(data_coding) == wanted_class


def test_the_account_says_what_zero_means_and_nothing_else() -> None:
    assert alphabet_of(0, A.LATIN1) is A.LATIN1
    assert alphabet_of(0, A.GSM7_PACKED) is A.GSM7_PACKED
    assert alphabet_of(1, A.LATIN1) is A.ASCII
    assert alphabet_of(0xF0, A.LATIN1) is A.GSM7


def test_class_goes_back_to_the_same_alphabet() -> None:
    for alphabet in (A.GSM7, A.OCTETS, A.UCS2):
        for wanted in MessageClass:
            octet = with_class(alphabet, wanted)
            assert (alphabet_of(octet), message_class(octet)) == (alphabet, wanted)
    assert with_class(A.GSM7, MessageClass.FLASH) == 0xF0
    with pytest.raises(KeyError):
        with_class(A.JIS, MessageClass.FLASH)


def test_tp_dcs() -> None:
    assert [tp_dcs(octet) for octet in (0, 1, 2, 3, 4, 8, 0x0B)] == [0, 0, 4, 0, 4, 8, 0]
    assert [tp_dcs(octet) for octet in (0x10, 0x18, 0xC8, 0xF0)] == [0x10, 0x18, 0xC8, 0xF0]


def test_message_waiting() -> None:
    assert waiting_indication(0xC8) == (Waiting.VOICEMAIL, True)
    assert waiting_indication(0xD2) == (Waiting.EMAIL, False)
    assert waiting_indication(0xE9) == (Waiting.FAX, True)
    assert waiting_indication(0xF0) is waiting_indication(0x08) is None
    assert [deletes_itself(octet) for octet in (0x3F, 0x40, 0x7F, 0x80)] == [
        False,
        True,
        True,
        False,
    ]
