"""National alphabets: which pairs of tables a text may be coded with.

*In*: languages a network supports. *Out*: `SeptetAlphabet`s in falling preference.
*Never*: a judgement whether the handset knows them; the caller's setting says so.

TS 23.038 §6.2.1.2. Each table is an alternative on its own: a single shift table keeps the default
alphabet and is read best by old handsets, a locking table costs one septet a character, both
together reach everything of the language.
"""

from collections.abc import Iterable, Iterator

from pdu.text.errors import TextError
from pdu.text.septets import SeptetAlphabet, septet_alphabet
from pdu.text.tables import LANGUAGES, LOCKING, SINGLE_SHIFT


def language(name: int | str) -> int:
    """Identifier (1-13) of a language given by identifier or English name; `TextError` else."""
    number = LANGUAGES.get(name.lower(), 0) if isinstance(name, str) else name
    if number not in LANGUAGES.values():
        raise TextError(f"no national language table for {name!r}")
    return number


def candidates(languages: Iterable[int | str]) -> Iterator[SeptetAlphabet]:
    """Alphabets of these languages: single shift, locking, both; one language after another."""
    for number in map(language, languages):
        if number in SINGLE_SHIFT:
            yield septet_alphabet(0, number)
        if number in LOCKING:
            yield septet_alphabet(number, 0)
            yield septet_alphabet(number, number)
