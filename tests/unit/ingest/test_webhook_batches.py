"""Deliveries read together: each by itself, whatever its neighbours are."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given, settings

from laurel_ingest.application.webhook_batch import read_batch
from laurel_ingest.domain.credits import event_times, signals_of
from laurel_ingest.domain.deliveries import Delivery, DeliveryState, arrival
from laurel_ingest.domain.facts import to_json
from laurel_ingest.domain.linking import RepositoryFacts
from laurel_ingest.domain.webhook_events import HANDLERS
from tests.support.ingest_strategies import histories
from tests.support.ingest_webhook_outcomes import outcome
from tests.support.ingest_webhooks import as_webhook, hook_commit, hook_push, repository
from tests.support.shared import shared_data
from tests.support.spoiling import spoiled

RECEIVED = datetime(2021, 5, 4, 12, tzinfo=UTC)


def kept(number: int, event: str, body: bytes) -> Delivery:
    return Delivery(
        *(number, str(number), event, None, 1, DeliveryState.WAITING, RECEIVED), body=body
    )


def as_bytes(body: Any) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate, or a number beyond 64 bits
        return repr(body).encode("utf-8", "replace")


HOOKS = histories(1).map(lambda history: list(as_webhook(history[0]) or ())).filter(bool)


@settings(max_examples=150, deadline=None)
@given(spoiled(HOOKS))
def test_whatever_a_payload_holds_its_neighbour_is_read(hook: Any) -> None:
    event, body = (hook + ["push"] * 2)[:2] if isinstance(hook, list) else ("push", hook)
    if not (isinstance(event, str) and event in HANDLERS):
        event = "push"
    good = as_bytes(hook_push(hook_commit("good")))
    batch = read_batch([kept(1, event, as_bytes(body)), kept(2, "push", good)])
    assert batch.left_out.keys() | batch.errors.keys() == {1, 2}
    assert 2 in batch.left_out
    known = RepositoryFacts.of(batch.told.facts.values())
    for fact in batch.told.facts.values():
        assert "\\u0000" not in orjson.dumps(to_json(fact)).decode()
        signals_of(fact, known, batch.told.claims())
        event_times(fact)


@given(spoiled(HOOKS))
def test_whatever_a_payload_holds_it_can_be_kept(hook: Any) -> None:
    for body in (hook, hook[-1] if isinstance(hook, list) and hook else None):
        arrived = arrival("id", "push", b"", body, RECEIVED)
        assert -(2**63) < arrived.subject_id < 2**63


def test_the_last_word_on_a_repositorys_name_is_told_last() -> None:
    renamed = hook_push(hook_commit(1)) | {
        "repository": repository(full_name="acme/shuttle", pushed_at=1_620_100_000)
    }
    batch = read_batch([kept(1, "push", as_bytes(renamed)), kept(2, "push", as_bytes(hook_push()))])
    assert batch.told.repositories == {500: "acme/shuttle"}


def test_each_sample_by_itself_says_what_it_announces() -> None:
    found = Counter[tuple[str, str | None, str]]()
    for each in orjson.loads(shared_data("webhooks/octokit-examples.json").read_bytes()):
        for body in each["examples"] if each["name"] in HANDLERS else ():
            for signal in outcome((each["name"], body))[0]:
                found[each["name"], body.get("action"), signal.type.label] += 1
    assert found == {
        ("issue_comment", "created", "comment"): 5,
        ("issue_comment", "edited", "comment"): 2,
        ("issues", "locked", "spam"): 2,
        ("issues", "opened", "issue_open"): 4,
        ("pull_request", "closed", "pr_close_no_merge"): 2,
        ("pull_request", "opened", "pr_open"): 4,
        ("pull_request_review", "dismissed", "review"): 1,
        ("pull_request_review", "submitted", "review"): 3,
        ("pull_request_review_comment", "created", "review_comment"): 3,
        ("pull_request_review_comment", "edited", "review_comment"): 1,
        ("push", None, "commit"): 2,
    }
