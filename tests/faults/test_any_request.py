"""Whatever is asked of any method, by everybody who may call it, ends in a reason of its own and
tells nobody of what is hidden from it.

The requests are made of the protos: a new method is tried like the others. LAUREL_TEST_FUZZ says
how many requests of each method are tried.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laurel.common.v1 import policy_pb2
from laurel_cli.rpc.caller import Caller
from laurel_cli.stack.credentials import ROSTER, methods_of
from laurel_cli.stack.layout import OPERATOR, SERVICES
from laurel_common.errors import RemoteError
from laurel_common.rpc.client import connect
from tests.support.any_request import Known, any_requests, scalars, webhooks
from tests.support.contracts import DeclaredMethod, declared_methods
from tests.support.database import Database
from tests.support.requests import request_for
from tests.support.stack_company import BACKEND, GATEWAY, PEOPLE, Company, running_company
from tests.support.stack_running import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = int(os.environ.get("LAUREL_TEST_FUZZ", "12"))
METHODS = declared_methods()
# Faults of ours, whatever was asked; DEADLINE_EXCEEDED and UNAVAILABLE would be some as well.
FAULTS = {
    *("INTERNAL", "UNKNOWN", "DATA_LOSS", "UNIMPLEMENTED", "CANCELLED"),
    *("DEADLINE_EXCEEDED", "UNAVAILABLE"),
}
# GitHub is asked for what does not exist, or not asked at all.
GITHUBS = {"GITHUB_UNAVAILABLE", "GITHUB_TIMEOUT"}
# What turns a caller away before anything is done.
AT_THE_DOOR = {
    *("INVALID_REQUEST", "CALLER_NOT_ALLOWED", "INSTALLATION_NOT_COVERED"),
    *("UNAUTHENTICATED", "TOKEN_EXPIRED"),
}
# Good requests that ask for more than a descriptor tells.
ASKING_MORE = {
    ("AuthService/ListSessions", OPERATOR),  # whose
    ("AuthService/RevokeAllSessions", OPERATOR),
    ("PresetService/UpdatePreset", "ada"),  # what of it
    ("PresetService/UpdatePreset", OPERATOR),
    ("MaterializationService/PublishMaterialization", "scoring"),  # several messages
}
RECEIVE_WEBHOOK = "WebhookService/ReceiveWebhook"
# They would take the company away from whoever comes next: asked for what nobody has.
TAKING_APART = {
    "SignalService/AdoptInstallation",
    "SignalService/ForgetInstallation",
    "PresetService/AdoptInstallation",
    "MaterializationService/AdoptInstallation",
    "MaterializationService/ForgetInstallation",
    "InstallationService/EraseInstallation",
}
NOBODYS = -1
_SECONDS = 20
# Streams that go on for as long as somebody listens are left after this.
_STREAM_SECONDS = 0.1


@dataclass
class Fuzzed:
    """The running services, everybody's channels, and what is known to be there."""

    company: Company
    known: Known
    # What nobody may be told, by login.
    hidden: dict[str, set[int | str]]
    channels: dict[tuple[str, str], grpc.aio.Channel] = field(default_factory=dict)
    # How good requests ended, by method and caller.
    answers: dict[tuple[str, str], str] = field(default_factory=dict)

    def caller(self, name: str) -> Caller:
        if name in PEOPLE:
            return self.company.user(name)
        if name == OPERATOR:
            return self.company.laurel.caller
        return self.company.laurel.service(name)

    def channel(self, context: str, name: str) -> grpc.aio.Channel:
        """A caller's channel to a service."""
        if (context, name) not in self.channels:
            caller = self.caller(name)
            self.channels[context, name] = connect(
                caller.targets[context], audience=context, tokens=caller.tokens
            )
        return self.channels[context, name]

    async def send(self, method: DeclaredMethod, name: str, wires: list[bytes]) -> str:
        """Sends requests; the reason of the refusal, OK without one. Learns from what comes back.

        Fails where it is a fault of ours.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                await self._exchange(method, name, wires)
        except RemoteError as error:
            refused = error
        else:
            return "OK"
        assert refused.code not in FAULTS or refused.reason in GITHUBS, refused
        assert refused.reason != "INTERNAL", f"{refused.code} without a reason: {refused}"
        if refused.reason in {"UNAUTHENTICATED", "TOKEN_EXPIRED"} and name in PEOPLE:
            await self._sign_in_again(name)
        return refused.reason

    async def _exchange(self, method: DeclaredMethod, name: str, wires: list[bytes]) -> None:
        channel = self.channel(method.context, name)
        make: Any = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }[method.takes_stream, method.gives_stream]
        response_type = GetMessageClass(method.response_type)
        call = make(method.rule.path, response_deserializer=response_type.FromString)
        given_: Any = _each(wires) if method.takes_stream else wires[0]
        if not method.gives_stream:
            self.read(name, await call(given_, timeout=_SECONDS))
            return
        answers = call(given_, timeout=_SECONDS)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None if method.takes_stream else _STREAM_SECONDS):
                    async for answer in answers:
                        self.read(name, answer)
        finally:
            answers.cancel()

    def read(self, name: str, answer: Any) -> None:
        """Fails where somebody is told what is hidden from it."""
        told = set(scalars(answer)) & self.hidden.get(name, set())
        assert not told, f"{name} is told of {told}: {answer}"
        self.known.learn(answer)

    async def _sign_in_again(self, name: str) -> None:
        """Whoever ended its own session needs another."""
        await self.company.sign_in(name)
        for key in [each for each in self.channels if each[1] == name]:
            await self.channels.pop(key).close()


async def _each(wires: list[bytes]) -> AsyncIterator[bytes]:
    for wire in wires:
        yield wire


def callers_of(method: DeclaredMethod) -> list[str]:
    """Everybody of ours whom the method's proto names."""
    callers = set(method.policy.callers)
    found: list[str] = []
    if policy_pb2.CALLER_USER in callers:
        found += PEOPLE
    elif policy_pb2.CALLER_ADMIN in callers:
        found += ["ada", "bob", "zoe"]
    if policy_pb2.CALLER_SERVICE in callers:
        found += [name for name in (*SERVICES, ROSTER) if method.rule.name in methods_of(name)]
    if policy_pb2.CALLER_BACKEND in callers:
        found.append(BACKEND)
    if policy_pb2.CALLER_GATEWAY in callers:
        found.append(GATEWAY)
    if policy_pb2.CALLER_OPERATOR in callers:
        found.append(OPERATOR)
    return found


def hidden_in(company: Company) -> dict[str, set[int | str]]:
    """By login what is none of its business: ids and names, which no count and no title is like."""
    vault, skunks = company.vault, company.skunks
    repository: set[int | str] = {vault.id, vault.name, f"acme/{vault.name}"}
    team: set[int | str] = {skunks.id, skunks.slug, skunks.name}
    acme: set[int | str] = {company.acme.id, company.acme.account_id, "acme/site"}
    hidden: dict[str, set[int | str]] = {"bob": repository | team, "otto": team}
    return hidden | {"zoe": repository | team | acme}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fuzzed(
    module_database: Database,
    module_redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Fuzzed]:
    """Everything up, and every method called by everybody with a good request."""
    async with running_company(
        tmp_path_factory.mktemp("any"),
        database=module_database,
        redis_url=module_redis_url,
    ) as company:
        known = Known([company.acme.id, company.globex.id, NOBODYS])
        found = Fuzzed(company, known, hidden_in(company))
        for method in METHODS:
            where = NOBODYS if method.name in TAKING_APART else company.acme.id
            request = request_for(method.rule, where).SerializeToString()
            for name in callers_of(method):
                answer = await found.send(method, name, [request])
                if answer == "UNAUTHENTICATED":  # somebody ended its own session just before
                    answer = await found.send(method, name, [request])
                found.answers[method.name, name] = answer
        found.known.is_complete = True
        yield found
        for channel in found.channels.values():
            await channel.close()


async def test_everybody_gets_past_the_door_with_a_good_request(fuzzed: Fuzzed) -> None:
    """Else what follows would try the door alone."""
    assert {name for name, _ in fuzzed.answers} == {each.name for each in METHODS}
    turned_away = {
        key: answer
        for key, answer in fuzzed.answers.items()
        if answer in AT_THE_DOOR and key[1] not in {"bob", "otto", "zoe"}
    }
    assert set(turned_away) == ASKING_MORE, turned_away


@pytest.mark.parametrize("method", METHODS, ids=lambda each: each.name)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_no_request_makes_a_service_fail_inside(
    fuzzed: Fuzzed, method: DeclaredMethod, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(callers_of(method)))
    count = data.draw(st.integers(0, 4)) if method.takes_stream else 1
    known = Known([NOBODYS]) if method.name in TAKING_APART else fuzzed.known
    wires = [data.draw(any_requests(method.rule, known)) for _ in range(count)]
    if method.name == RECEIVE_WEBHOOK and data.draw(st.integers(0, 3)):
        event, body = data.draw(webhooks(fuzzed.known))
        wires = [fuzzed.company.signed(event, body).SerializeToString()]
    await fuzzed.send(method, name, wires)


async def test_a_page_token_goes_on_with_its_own_list_and_no_other(fuzzed: Fuzzed) -> None:
    """Whatever lists pages, by its proto."""
    acme, globex = fuzzed.known.installations[:2]
    lists = [each for each in METHODS if _is_list(each)]
    tokens: dict[str, str] = {}
    for method in lists:
        caller = callers_of(method)[-1]
        with suppress(RemoteError):  # of what is not there
            tokens[method.name] = (await _page(fuzzed, method, caller, acme)).next_page_token
    tokens = {name: token for name, token in tokens.items() if token}
    assert len(tokens) >= 8, tokens.keys()
    for method in lists:
        caller = callers_of(method)[-1]
        for name, token in tokens.items():
            own = name == method.name
            # Another list's, that of another tenant's list, and what somebody made of its own.
            wrong = [token] if not own or method.rule.installation_paths else []
            wrong += [token[:-2], f"A{token}", token.swapcase()] if own else []
            for each in wrong:
                with pytest.raises(RemoteError) as refused:
                    await _page(fuzzed, method, caller, globex if own else acme, each)
                seen = refused.value.reason, refused.value.code
                assert "INVALID_PAGE_TOKEN" in seen or "NOT_FOUND" in seen, (method.name, name)
        if method.name in tokens and "zoe" in callers_of(method):
            asking = _page(fuzzed, method, "zoe", acme, tokens[method.name])
            if method.rule.installation_paths:
                with pytest.raises(RemoteError) as refused:
                    await asking
                assert refused.value.reason == "INSTALLATION_NOT_FOUND", method.name
            else:  # It goes on among what zoe sees.
                fuzzed.read("zoe", await asking)


def _is_list(method: DeclaredMethod) -> bool:
    request, response = method.rule.request_type, method.response_type
    assert request is not None
    return (
        # Of one installation it has no pages, and for users there is no other.
        method.name != "InstallationService/SyncInstallations"
        and not method.gives_stream
        and "page_token" in request.DESCRIPTOR.fields_by_name
        and "next_page_token" in response.fields_by_name
    )


async def _page(
    fuzzed: Fuzzed, method: DeclaredMethod, name: str, installation_id: int, token: str = ""
) -> Any:
    """A page of one row; an operator's list of sessions is ada's."""
    request: Any = request_for(method.rule, installation_id)
    request.page_size, request.page_token = 1, token
    if "user_id" in request.DESCRIPTOR.fields_by_name and not method.rule.installation_paths:
        request.user_id = fuzzed.company.users["ada"].id
    call: Any = fuzzed.channel(method.context, name).unary_unary(
        method.rule.path, response_deserializer=GetMessageClass(method.response_type).FromString
    )
    return await call(request.SerializeToString(), timeout=_SECONDS)


async def test_nobody_changed_what_is_another_tenants_or_for_admins(fuzzed: Fuzzed) -> None:
    company = fuzzed.company
    own = {company.acme.id: {"ada", OPERATOR}, company.globex.id: {"zoe", OPERATOR}}
    with company.laurel.connect() as owner:
        changes = owner.execute(
            "SELECT installation_id, actor_name FROM scoring_preset_changes"
            " UNION SELECT installation_id, actor_name FROM signal_corrections"
            " UNION SELECT installation_id, split_part(requested_by, ':', 2) FROM ingest_runs"
        ).fetchall()
    # Neither what a service put in meanwhile, nor what ingest began by itself.
    told = [each for each in changes if each[0] in own and each[1]]
    assert company.acme.id in dict(told)
    assert [each for each in told if each[1] not in own[each[0]]] == []


async def test_nothing_of_it_was_a_fault_inside_nor_ended_a_service(fuzzed: Fuzzed) -> None:
    laurel = fuzzed.company.laurel
    with laurel.connect() as owner:
        left = "SELECT 1 FROM webhook_deliveries WHERE state = 'waiting' AND attempts = 0 LIMIT 1"
        await until(lambda: not owner.execute(left).fetchone(), "the webhooks are worked on")
        parked = owner.execute("SELECT last_error FROM webhook_deliveries WHERE state = 'parked'")
        assert not [error for (error,) in parked if "INTERNAL" in error]
    for service in SERVICES:
        assert laurel.starts(service) == 1, service
        told = laurel.log_of(service).splitlines()
        faults = [line for line in told if '"INTERNAL"' in line or "Traceback" in line]
        # A body that identity finds nothing in is parked, and logged with what identity said.
        assert [line for line in faults if "RemoteError: INVALID_ARGUMENT" not in line] == []
