"""Who is let in: every method, every kind of caller."""

from typing import Any

import grpc
import pytest

from laurel.common.v1 import policy_pb2
from laurel.identity.v1 import (
    directory_lists_pb2,
    directory_lookups_pb2,
    directory_pb2_grpc,
    directory_upserts_pb2,
    installation_pb2_grpc,
    webhook_attempts_pb2,
)
from laurel.identity.v1 import directory_pb2 as pb
from laurel.identity.v1 import entities_pb2 as entities
from laurel.identity.v1 import installation_pb2 as installations_pb
from laurel_common.auth.principal import PrincipalKind
from laurel_common.errors import RemoteError
from tests.rpc.identity.conftest import Identity

DIRECTORY = directory_pb2_grpc.DirectoryServiceStub
INSTALLATIONS = installation_pb2_grpc.InstallationServiceStub
CORE = {"ingest", "scoring", "leaderboard"}

# Stub, method, a request that is good, and which services may send it (None: none).
METHODS: list[tuple[Any, str, Any, set[str]]] = [
    (DIRECTORY, "UpsertEntities", directory_upserts_pb2.UpsertEntitiesRequest(), {*CORE, "roster"}),
    (DIRECTORY, "BatchGetUsers", directory_lookups_pb2.BatchGetUsersRequest(user_ids=[1]), CORE),
    (
        DIRECTORY,
        "ResolveLogins",
        directory_lookups_pb2.ResolveLoginsRequest(user_logins=["ada"]),
        CORE,
    ),
    (
        DIRECTORY,
        "GetOrganization",
        directory_lookups_pb2.GetOrganizationRequest(organization_id=10),
        CORE,
    ),
    (DIRECTORY, "ListOrganizations", directory_lists_pb2.ListOrganizationsRequest(), set()),
    (
        DIRECTORY,
        "ListRepositories",
        directory_lists_pb2.ListRepositoriesRequest(installation_id=-10),
        CORE,
    ),
    (DIRECTORY, "ListTeams", directory_lists_pb2.ListTeamsRequest(installation_id=-10), CORE),
    (
        DIRECTORY,
        "ListTeamMembers",
        directory_lists_pb2.ListTeamMembersRequest(installation_id=-10),
        CORE - {"ingest"},
    ),
    (
        DIRECTORY,
        "ListTeamRepositories",
        directory_lists_pb2.ListTeamRepositoriesRequest(installation_id=-10),
        CORE,
    ),
    (INSTALLATIONS, "ListInstallations", installations_pb.ListInstallationsRequest(), {"ingest"}),
    (
        INSTALLATIONS,
        "GetInstallation",
        installations_pb.GetInstallationRequest(installation_id=-10),
        CORE,
    ),
    (
        INSTALLATIONS,
        "CreateInstallationToken",
        installations_pb.CreateInstallationTokenRequest(installation_id=-10),
        {"ingest"},
    ),
    (
        INSTALLATIONS,
        "HandleInstallationEvent",
        installations_pb.HandleInstallationEventRequest(event="ping", payload=b"{}"),
        {"ingest"},
    ),
    (INSTALLATIONS, "BeginInstall", installations_pb.BeginInstallRequest(), set()),
    (
        INSTALLATIONS,
        "LinkInstallation",
        installations_pb.LinkInstallationRequest(new_installation_id=1, state="s"),
        set(),
    ),
    (INSTALLATIONS, "SyncInstallations", installations_pb.SyncInstallationsRequest(), set()),
    (
        INSTALLATIONS,
        "ListFailedWebhooks",
        webhook_attempts_pb2.ListFailedWebhooksRequest(),
        {"ingest"},
    ),
    (
        INSTALLATIONS,
        "RedeliverWebhook",
        webhook_attempts_pb2.RedeliverWebhookRequest(attempt_id=1),
        {"ingest"},
    ),
]
# Who may call beside services: [B]ackends, [G]ateway, [O]perators; the rest is "BO".
OTHERS = {
    "UpsertEntities": "",
    "CreateInstallationToken": "",
    "HandleInstallationEvent": "",
    "BeginInstall": "G",
    "LinkInstallation": "",
    "SyncInstallations": "O",
    "ListFailedWebhooks": "",
    "RedeliverWebhook": "",
}
LETTERS = {PrincipalKind.BACKEND: "B", PrincipalKind.GATEWAY: "G", PrincipalKind.OPERATOR: "O"}
REFUSED = "PERMISSION_DENIED CALLER_NOT_ALLOWED"


@pytest.fixture
async def acme(shared_identity: Identity) -> Identity:
    """Identity that knows acme and globex."""
    await shared_identity.ingest.UpsertEntities(
        directory_upserts_pb2.UpsertEntitiesRequest(
            imported_owners=[
                directory_upserts_pb2.ImportedOwner(account_id=10, login="acme"),
                directory_upserts_pb2.ImportedOwner(account_id=20, login="globex"),
            ],
            repositories=[
                entities.Repository(id=100, full_name="acme/api", organization_id=10),
                entities.Repository(id=200, full_name="globex/api", organization_id=20),
            ],
        )
    )
    return shared_identity


async def _answer(channel: grpc.aio.Channel, stub: Any, method: str, request: Any) -> str:
    try:
        await getattr(stub(channel), method)(request)
    except RemoteError as error:
        return f"{error.code} {error.reason}"
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


async def test_every_method_that_users_read_with_is_in_the_table() -> None:
    declared = {
        (service.name, method.name)
        for service in (
            pb.DESCRIPTOR.services_by_name["DirectoryService"],
            installations_pb.DESCRIPTOR.services_by_name["InstallationService"],
        )
        for method in service.methods
        if policy_pb2.CALLER_USER in method.GetOptions().Extensions[policy_pb2.policy].callers
    }
    in_table = {(stub.__name__.removesuffix("Stub"), name) for stub, name, _, _ in METHODS}
    assert declared <= in_table


@pytest.mark.parametrize("name", ["ingest", "scoring", "leaderboard", "roster"])
async def test_a_service_gets_through_where_it_is_named(acme: Identity, name: str) -> None:
    channel = acme.server.channel(PrincipalKind.SERVICE, name=name)
    for stub, method, request, services in METHODS:
        answer = await _answer(channel, stub, method, request)
        assert (answer != REFUSED) == (name in services), method


async def test_a_service_whose_key_lists_other_methods_is_refused(acme: Identity) -> None:
    channel = acme.server.channel(
        PrincipalKind.SERVICE, name="roster", methods=["laurel.ingest.v1.*"]
    )
    answer = await _answer(
        channel, DIRECTORY, "UpsertEntities", directory_upserts_pb2.UpsertEntitiesRequest()
    )
    assert answer == REFUSED


@pytest.mark.parametrize("kind", LETTERS)
async def test_other_callers_get_through_where_their_kind_is_named(
    acme: Identity, kind: PrincipalKind
) -> None:
    channel = acme.server.channel(kind)
    for stub, method, request, _ in METHODS:
        answer = await _answer(channel, stub, method, request)
        let_in = LETTERS[kind] in OTHERS.get(method, "BO")
        assert (answer != REFUSED) == let_in, method


async def test_nobody_gets_in_without_a_token(acme: Identity) -> None:
    channel = acme.server.bare_channel()
    for stub, method, request, _ in METHODS:
        assert await _answer(channel, stub, method, request) == "UNAUTHENTICATED", method


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("garbage", id="garbage"),
        pytest.param("0" * 64, id="a session that does not exist"),
    ],
)
async def test_nobody_gets_in_with_a_token_that_opens_nothing(acme: Identity, token: str) -> None:
    channel = acme.server.bare_channel()
    metadata = (("authorization", f"Bearer {token}"),)
    for stub, method, request, _ in METHODS:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await getattr(stub(channel), method)(request, metadata=metadata)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED, method


class TestABackendOfOneInstallation:
    """A key that covers acme alone."""

    @pytest.fixture
    def channel(self, acme: Identity) -> grpc.aio.Channel:
        return acme.server.channel(PrincipalKind.BACKEND, name="acme-site", installations=[-10])

    async def test_sees_its_own(self, channel: grpc.aio.Channel) -> None:
        directory, tenants = DIRECTORY(channel), INSTALLATIONS(channel)
        listed = await tenants.ListInstallations(installations_pb.ListInstallationsRequest())
        assert [each.installation_id for each in listed.installations] == [-10]
        accounts = await directory.ListOrganizations(directory_lists_pb2.ListOrganizationsRequest())
        assert [each.id for each in accounts.organizations] == [10]
        own = await directory.ListRepositories(
            directory_lists_pb2.ListRepositoriesRequest(installation_id=-10)
        )
        assert [each.id for each in own.repositories] == [100]

    async def test_does_not_resolve_what_belongs_to_others(self, channel: grpc.aio.Channel) -> None:
        found = await DIRECTORY(channel).ResolveLogins(
            directory_lookups_pb2.ResolveLoginsRequest(
                organization_logins=["acme", "globex"],
                repository_full_names=["acme/api", "globex/api"],
            )
        )
        assert [each.id for each in found.organizations] == [10]
        assert [each.id for each in found.repositories] == [100]

    @pytest.mark.parametrize(
        ("stub", "method", "request_", "expected"),
        [
            pytest.param(
                DIRECTORY,
                "GetOrganization",
                directory_lookups_pb2.GetOrganizationRequest(login="globex"),
                "NOT_FOUND ORGANIZATION_NOT_FOUND",
                id="account by login",
            ),
            pytest.param(
                DIRECTORY,
                "GetOrganization",
                directory_lookups_pb2.GetOrganizationRequest(organization_id=20),
                "NOT_FOUND ORGANIZATION_NOT_FOUND",
                id="account by id",
            ),
            *(
                pytest.param(
                    stub,
                    method,
                    type(request)(installation_id=-20),
                    "PERMISSION_DENIED INSTALLATION_NOT_COVERED",
                    id=method,
                )
                for stub, method, request, _ in METHODS
                if "installation_id" in request.DESCRIPTOR.fields_by_name
                and "B" in OTHERS.get(method, "BO")
            ),
        ],
    )
    async def test_is_refused_what_belongs_to_others(
        self, channel: grpc.aio.Channel, stub: Any, method: str, request_: Any, expected: str
    ) -> None:
        assert await _answer(channel, stub, method, request_) == expected
