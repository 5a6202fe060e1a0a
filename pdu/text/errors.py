"""What can be wrong with a text: two errors, named.

*In*: nothing. *Out*: exceptions. *Never*: an answer to a peer; the caller maps them to a status.
"""


class TextError(ValueError):
    """A text or its octets cannot be handled as asked; the sentence says why."""


class TooManyParts(TextError):  # noqa: N818 - the name says what happened, as the house style wants
    """More parts than a concatenated message may have (255, TS 23.040 §9.2.3.24.1).

    `parts` is the number that the text would have needed.
    """

    def __init__(self, parts: int) -> None:
        super().__init__(f"the text needs {parts} parts, a concatenated message has at most 255")
        self.parts = parts
