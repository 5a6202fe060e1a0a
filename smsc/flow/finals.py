"""Who waits to hear how a message ended.

*In*: messages that reached a final state, from dispatch and from receipts; who waits for which.
*Out*: one call for each, after the commit that holds the final state.
*Never*: a word about a message before its end is on disk.

Transaction mode waits here for its answer (SMPP 3.4 §4.7), delivery pending flags for theirs.
"""

from collections.abc import Callable, Sequence

from smsc.message import FINAL, Message, MessageId, Progress
from smsc.ports import CommitResult, Store

Ended = Callable[[Message, Progress], None]


class Finals:
    """One waiter for a message, and one who hears of every message.

    :param soon: runs a callable in the event loop, once the caller of `told` is done.
    :ivar heard: told of every final state as it is journalled; must be quick.
    """

    def __init__(self, store: Store, soon: Callable[[Callable[[], None]], object]) -> None:
        self._store = store
        self._soon = soon
        self._waiting: dict[MessageId, Ended] = {}
        self.heard: Callable[[Sequence[tuple[Message, Progress]]], None] = lambda _finals: None

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, id_: MessageId, ended: Ended) -> None:
        """Call `ended` once, when the message is final; soon if it is already."""
        self._waiting[id_] = ended
        progress = self._store.progress(id_)
        if progress is not None and progress.state in FINAL:
            message = self._store.message(id_)
            if message is not None:
                self._tell([(message, progress)])

    def forget(self, id_: MessageId) -> None:
        """Nobody waits for it any more."""
        self._waiting.pop(id_, None)

    def told(self, finals: Sequence[tuple[Message, Progress]]) -> None:
        """These become final in a batch that the caller hands in before it returns to the loop."""
        self.heard(finals)
        if self._waiting:
            self._tell([one for one in finals if one[0].id in self._waiting])

    def _tell(self, finals: Sequence[tuple[Message, Progress]]) -> None:
        if finals:
            self._soon(lambda: self._when_on_disk(finals))

    def _when_on_disk(self, finals: Sequence[tuple[Message, Progress]]) -> None:
        """Commits keep their order, so an empty one ends after that of the finals."""

        def committed(_result: CommitResult) -> None:
            for message, progress in finals:
                ended = self._waiting.pop(message.id, None)
                if ended is not None:
                    ended(message, progress)

        self._store.commit_nowait(self._store.batch(), committed)
