"""laurel.identity.v1.InstallationService."""

# ruff: noqa: ARG002 - names and signatures are gRPC's

from dataclasses import dataclass
from typing import Any

from laurel.identity.v1 import installation_pb2 as pb
from laurel.identity.v1 import installation_pb2_grpc
from laurel.identity.v1 import webhook_attempts_pb2 as webhooks
from laurel_common.page_token import PageTokens
from laurel_common.surroundings import current_principal
from laurel_identity.application.begin_install import BeginInstall
from laurel_identity.application.create_installation_token import CreateInstallationToken
from laurel_identity.application.erase_installation import EraseInstallation
from laurel_identity.application.get_installation import GetInstallation
from laurel_identity.application.handle_installation_event import HandleInstallationEvent
from laurel_identity.application.link_installation import LinkInstallation
from laurel_identity.application.list_installations import ListInstallations
from laurel_identity.application.redeliver_webhooks import ListFailedWebhooks, RedeliverWebhook
from laurel_identity.application.sync_installations import SyncInstallations
from laurel_identity.rpc import convert
from laurel_identity.rpc.pages import Pages
from laurel_identity.rpc.visibility import current_visibility


@dataclass(frozen=True, slots=True)
class InstallationUseCases:
    """What the servicer's methods do."""

    list_installations: ListInstallations
    get_installation: GetInstallation
    create_installation_token: CreateInstallationToken
    handle_installation_event: HandleInstallationEvent
    sync_installations: SyncInstallations
    begin_install: BeginInstall
    link_installation: LinkInstallation
    list_failed_webhooks: ListFailedWebhooks
    redeliver_webhook: RedeliverWebhook
    erase_installation: EraseInstallation


class InstallationServicer(installation_pb2_grpc.InstallationServiceServicer):
    """The installations' methods: parse, use case, convert."""

    def __init__(self, use_cases: InstallationUseCases, tokens: PageTokens) -> None:
        self._do = use_cases
        self._synced = Pages(tokens, "synced installations", default_size=10)
        self._installations = Pages(tokens, "installations", default_size=50)
        self._failed = Pages(tokens, "failed webhooks", default_size=100)

    async def ListInstallations(
        self, request: pb.ListInstallationsRequest, context: Any
    ) -> pb.ListInstallationsResponse:
        wanted = self._installations.single(request)
        page = await self._do.list_installations(wanted, current_visibility())
        return pb.ListInstallationsResponse(
            installations=map(convert.from_installation, page.rows),
            next_page_token=self._installations.next_token(request, page),
        )

    async def GetInstallation(
        self, request: pb.GetInstallationRequest, context: Any
    ) -> pb.GetInstallationResponse:
        visibility = current_visibility()
        if request.WhichOneof("installation") == "account_login":
            found = await self._do.get_installation.by_login(request.account_login, visibility)
        else:
            found = await self._do.get_installation.by_id(request.installation_id, visibility)
        return pb.GetInstallationResponse(installation=convert.from_installation(found))

    async def CreateInstallationToken(
        self, request: pb.CreateInstallationTokenRequest, context: Any
    ) -> pb.CreateInstallationTokenResponse:
        made = await self._do.create_installation_token(
            request.installation_id, current_visibility(), refused=request.refused_token
        )
        return convert.from_installation_token(made)

    async def HandleInstallationEvent(
        self, request: pb.HandleInstallationEventRequest, context: Any
    ) -> pb.HandleInstallationEventResponse:
        payload = convert.to_payload(request.payload)
        outcome = await self._do.handle_installation_event(request.event, payload)
        return convert.from_outcome(outcome)

    async def SyncInstallations(
        self, request: pb.SyncInstallationsRequest, context: Any
    ) -> pb.SyncInstallationsResponse:
        if request.installation_id:
            synced = await self._do.sync_installations.one(request.installation_id)
            return pb.SyncInstallationsResponse(installations=[convert.from_installation(synced)])
        page = await self._do.sync_installations.page(self._synced.single(request))
        return pb.SyncInstallationsResponse(
            installations=map(convert.from_installation, page.rows),
            next_page_token=self._synced.next_token(request, page),
        )

    async def BeginInstall(
        self, request: pb.BeginInstallRequest, context: Any
    ) -> pb.BeginInstallResponse:
        return convert.from_begun_install(await self._do.begin_install(current_principal().user_id))

    async def LinkInstallation(
        self, request: pb.LinkInstallationRequest, context: Any
    ) -> pb.LinkInstallationResponse:
        user = current_principal()
        linked = await self._do.link_installation(
            request.new_installation_id,
            request.state,
            session_id=user.token_id,
            user_id=user.user_id or 0,
        )
        return pb.LinkInstallationResponse(installation=convert.from_installation(linked))

    async def ListFailedWebhooks(
        self, request: webhooks.ListFailedWebhooksRequest, context: Any
    ) -> webhooks.ListFailedWebhooksResponse:
        start = convert.to_moment(request, "start_time")
        page = await self._do.list_failed_webhooks(self._failed.text(request), start)
        return webhooks.ListFailedWebhooksResponse(
            attempts=map(convert.from_attempt, page.rows),
            next_page_token=self._failed.next_token(request, page),
        )

    async def RedeliverWebhook(
        self, request: webhooks.RedeliverWebhookRequest, context: Any
    ) -> webhooks.RedeliverWebhookResponse:
        accepted = await self._do.redeliver_webhook(request.attempt_id)
        return webhooks.RedeliverWebhookResponse(accepted=accepted)

    async def EraseInstallation(
        self, request: pb.EraseInstallationRequest, context: Any
    ) -> pb.EraseInstallationResponse:
        await self._do.erase_installation(
            request.installation_id, requested_by=current_principal().name
        )
        return pb.EraseInstallationResponse()
