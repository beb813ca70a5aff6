"""laurel.identity.v1.AuthService."""

# ruff: noqa: ARG002 - names and signatures are gRPC's

from typing import Any

from laurel.identity.v1 import auth_pb2_grpc, auth_tokens_pb2
from laurel_identity.application.introspect_token import IntrospectToken
from laurel_identity.rpc import convert_auth as convert


class AuthServicer(auth_pb2_grpc.AuthServiceServicer):
    """The methods of sign-in and sessions: parse, use case, convert."""

    def __init__(self, introspect_token: IntrospectToken) -> None:
        self._introspect_token = introspect_token

    async def IntrospectToken(
        self, request: auth_tokens_pb2.IntrospectTokenRequest, context: Any
    ) -> auth_tokens_pb2.IntrospectTokenResponse:
        return convert.from_introspection(await self._introspect_token(request.token))
