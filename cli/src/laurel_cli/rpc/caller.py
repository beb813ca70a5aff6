"""Who calls: an operator by key or token, and channels to the services for them."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from laurel_cli.errors import RefusedError, UsageError
from laurel_cli.rpc.where import Where, own_certificate, transport
from laurel_cli.stack.layout import OPERATOR, Layout
from laurel_common.auth.keys import KeyFileError, load_private_key
from laurel_common.auth.operator import mint_operator_token
from laurel_common.auth.tokens import StaticToken, Tokens, TokenSource
from laurel_common.config import ConfigError
from laurel_common.rpc.client import connect


@dataclass(frozen=True, slots=True)
class Caller:
    """Opens channels to the services as somebody."""

    targets: Mapping[str, str]
    tokens: Tokens
    ca_file: Path | None = None
    allow_insecure: bool = False
    own: tuple[Path, Path] | None = None

    @classmethod
    def of(cls, where: Where) -> "Caller":
        """The caller that the options describe; raises RefusedError, UsageError."""
        return cls(where.targets(), tokens_of(where), *transport(), own_certificate())

    @asynccontextmanager
    async def channel(self, service: str) -> AsyncIterator[grpc.aio.Channel]:
        """A channel to one of the four services; raises UsageError where it would be open."""
        try:
            channel = connect(
                self.targets[service],
                audience=service,
                tokens=self.tokens,
                ca_file=self.ca_file,
                allow_insecure=self.allow_insecure,
                own_certificate=self.own,
            )
        except ConfigError as error:
            raise UsageError("; ".join(error.problems)) from error
        async with channel:
            yield channel


def tokens_of(where: Where) -> Tokens:
    """The given token, or a source that signs with the operator's key; raises RefusedError."""
    if where.token:
        return StaticToken(where.token)
    return TokenSource(*_operator(where))


def mint(where: Where, *, audiences: Iterable[str], lifetime: timedelta) -> str:
    """An operator's token; raises UsageError, RefusedError."""
    name, key = _operator(where)
    try:
        return mint_operator_token(key, name=name, audiences=tuple(audiences), lifetime=lifetime)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _operator(where: Where) -> tuple[str, Ed25519PrivateKey]:
    """The key, and its name in the trust directory: the file is named after it."""
    path = where.key or Layout(where.data).key(OPERATOR)
    if not path.is_file():
        raise RefusedError(
            f"no operator key at {path}: `laurel up` makes one there, --key and --token name others"
        )
    try:
        return path.stem, load_private_key(path)
    except KeyFileError as error:
        raise RefusedError(str(error)) from error
