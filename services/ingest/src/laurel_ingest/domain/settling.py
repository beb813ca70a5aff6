"""Which source has the say about one signal that several tell of.

The database does the same to whole batches (`storage/signal_writer.py`); tests hold the two
together.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from laurel_ingest.domain.signals import OF_THE_PERSON


@dataclass(frozen=True, slots=True)
class Word:
    """What a source says of a signal. `details` is its metadata without the flags."""

    standing: int
    user_id: int
    event_time: int
    value_e4: int = 10_000
    flags: int = 0
    details: Mapping[str, int | str] = field(default_factory=dict)


def settle(known: Word, offered: Word, *, last_word: bool = False) -> Word:
    """What stands when a signal that is known is told again.

    The better-standing source is right about everything but the flags, which are joined. Between
    equals `last_word` lets the newer one speak, for a source that has merged all it knows; without
    it the later time and then the larger values win, whoever came first. Flags that tell of the
    person whom it names are then its own: the one before may have named another.
    """
    wins = offered.standing > known.standing or (
        offered.standing == known.standing and (last_word or _rank(offered) > _rank(known))
    )
    kept = known.flags & ~OF_THE_PERSON if wins and last_word else known.flags
    return replace(offered if wins else known, flags=kept | offered.flags)


def _rank(word: Word) -> tuple[int, int, int, bytes]:
    return word.event_time, word.user_id, word.value_e4, jsonb_text(word.details).encode()


def jsonb_text(value: Mapping[str, int | str]) -> str:
    """A flat object as PostgreSQL writes jsonb: keys by length, then by bytes; spaced."""
    ordered = sorted(value.items(), key=lambda item: (len(item[0].encode()), item[0].encode()))
    return json.dumps(dict(ordered), ensure_ascii=False, separators=(", ", ": "))
