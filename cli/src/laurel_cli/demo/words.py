"""What the demo's people write: titles, bodies and remarks."""

from random import Random

_CHANGES = (
    "Speed up {}", "Fix a crash in {}", "Rework {}", "Cover {} with tests", "Tidy up {}",
    "Document {}", "Handle empty answers in {}", "Retry once in {}", "Measure {}",
    "Make {} configurable", "Drop the old path through {}", "Log less in {}",
)  # fmt: skip
_ISSUES = (
    "{} breaks after the last release", "{} is slow on large areas", "Wrong result from {}",
    "Please describe {}", "{}: flaky test", "Support more than one region in {}",
    "Memory grows with {}", "{} ignores the configured limit",
)  # fmt: skip
_STEPS = (
    "Start on {}", "Add the missing case to {}", "Test {}", "Address review remarks on {}",
    "Rename things in {}", "Move {} into a module of its own", "Fix a typo in {}",
)  # fmt: skip
_REMARKS = (
    "Could this be read more easily the other way round?", "Nice!", "What if the list is empty?",
    "This name says something else than it does.", "A test for this branch would help.",
    "I would keep the old default here.", "Works on my side, also with the big extract.",
    "Can we measure it before we decide?", "Same here since yesterday.", "Thanks, that was quick.",
    "Found it: the offset is applied twice.", "Let us take this into the next release.",
)  # fmt: skip
_CLOSING = ("Closes", "Fixes", "Resolves")


def _sentence(rng: Random, patterns: tuple[str, ...], area: str) -> str:
    text = rng.choice(patterns).format(area)
    return text[0].upper() + text[1:]


def change(rng: Random, area: str) -> str:
    """The title of a pull request."""
    return _sentence(rng, _CHANGES, area)


def complaint(rng: Random, area: str) -> str:
    """The title of an issue."""
    return _sentence(rng, _ISSUES, area)


def step(rng: Random, area: str) -> str:
    """The message of a commit on the way."""
    return _sentence(rng, _STEPS, area)


def remark(rng: Random) -> str:
    """A comment."""
    return rng.choice(_REMARKS)


def closing(rng: Random, number: int | None) -> str:
    """The body of a pull request, with a closing keyword where it has an issue."""
    if number is None:
        return rng.choice(("", "Split out of a larger change.", "See the commit messages."))
    return f"{rng.choice(_CLOSING)} #{number}."


def branch(rng: Random, title: str) -> str:
    """A branch named after a title."""
    words = "".join(each if each.isalnum() else " " for each in title.lower()).split()
    return f"{rng.choice(('fix', 'feature', 'chore'))}/{'-'.join(words[:4])}-{rng.randrange(1000)}"
