"""laurel.identity.v1.AuthService."""

# ruff: noqa: ARG002 - names and signatures are gRPC's

from dataclasses import dataclass
from typing import Any

from laurel.identity.v1 import (
    auth_pb2_grpc,
    auth_sessions_pb2,
    auth_sign_in_pb2,
    auth_tokens_pb2,
)
from laurel_common.page_token import PageTokens
from laurel_common.rpc.chain import ready_made
from laurel_common.surroundings import current_principal
from laurel_identity.application.begin_sign_in import BeginSignIn
from laurel_identity.application.complete_sign_in import CompleteSignIn
from laurel_identity.application.end_sessions import EndSessions
from laurel_identity.application.introspect_token import IntrospectToken
from laurel_identity.application.keep_sessions import KeepSessions
from laurel_identity.application.view_sessions import ViewSessions
from laurel_identity.rpc import convert_auth as convert
from laurel_identity.rpc.pages import Pages
from laurel_identity.rpc.whose import own_user_id, whose


@dataclass(frozen=True, slots=True)
class AuthUseCases:
    """What the servicer's methods do."""

    begin_sign_in: BeginSignIn
    complete_sign_in: CompleteSignIn
    view_sessions: ViewSessions
    end_sessions: EndSessions
    introspect_token: IntrospectToken
    keep_sessions: KeepSessions


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """The methods of sign-in and sessions: parse, use case, convert."""

    def __init__(self, use_cases: AuthUseCases, tokens: PageTokens) -> None:
        self._do = use_cases
        self._pages = Pages(tokens, "sessions", default_size=50)

    async def BeginSignIn(
        self, request: auth_sign_in_pb2.BeginSignInRequest, context: Any
    ) -> auth_sign_in_pb2.BeginSignInResponse:
        return convert.from_begun(await self._do.begin_sign_in(request.return_to))

    async def CompleteSignIn(
        self, request: auth_sign_in_pb2.CompleteSignInRequest, context: Any
    ) -> auth_sign_in_pb2.CompleteSignInResponse:
        done = await self._do.complete_sign_in(request.code, request.state, request.csrf_token)
        view = await self._do.view_sessions.one(done.session.id)
        return auth_sign_in_pb2.CompleteSignInResponse(
            session_token=done.token,
            session=convert.from_view(view, current=done.session.id),
            return_to=done.return_to,
        )

    async def GetSession(
        self, request: auth_sessions_pb2.GetSessionRequest, context: Any
    ) -> auth_sessions_pb2.GetSessionResponse:
        current = current_principal().token_id
        view = await self._do.view_sessions.one(current)
        return auth_sessions_pb2.GetSessionResponse(
            session=convert.from_view(view, current=current)
        )

    async def ListSessions(
        self, request: auth_sessions_pb2.ListSessionsRequest, context: Any
    ) -> auth_sessions_pb2.ListSessionsResponse:
        wanted = self._pages.text(request)
        page = await self._do.view_sessions.page(whose(request.user_id), wanted)
        current = current_principal().token_id
        return auth_sessions_pb2.ListSessionsResponse(
            sessions=[convert.from_view(each, current=current) for each in page.rows],
            next_page_token=self._pages.next_token(request, page),
        )

    async def RevokeSession(
        self, request: auth_sessions_pb2.RevokeSessionRequest, context: Any
    ) -> auth_sessions_pb2.RevokeSessionResponse:
        await self._do.end_sessions.revoke(request.session_id, user_id=own_user_id())
        return auth_sessions_pb2.RevokeSessionResponse()

    async def RevokeAllSessions(
        self, request: auth_sessions_pb2.RevokeAllSessionsRequest, context: Any
    ) -> auth_sessions_pb2.RevokeAllSessionsResponse:
        kept = current_principal().token_id if request.keep_current else None
        count = await self._do.end_sessions.all_of(whose(request.user_id), but=kept)
        return auth_sessions_pb2.RevokeAllSessionsResponse(revoked_count=count)

    async def IntrospectToken(
        self, request: auth_tokens_pb2.IntrospectTokenRequest, context: Any
    ) -> auth_tokens_pb2.IntrospectTokenResponse:
        found = await self._do.introspect_token(request.token)
        return ready_made(
            auth_tokens_pb2.IntrospectTokenResponse, convert.from_introspection(found)
        )

    async def RotateTokens(
        self, request: auth_sessions_pb2.RotateTokensRequest, context: Any
    ) -> auth_sessions_pb2.RotateTokensResponse:
        rotated, unreadable = await self._do.keep_sessions.rotate()
        return auth_sessions_pb2.RotateTokensResponse(
            rotated_count=rotated, unreadable_count=unreadable
        )
