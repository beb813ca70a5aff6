"""Webhooks as a gateway hands them on: signed, with a key of its own."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import quantiles
from typing import Any

from bench.stack import Servers
from laurel.ingest.v1 import webhook_pb2, webhook_pb2_grpc
from laurel_cli.rpc.caller import Caller
from laurel_cli.stack.layout import Layout, write_secret
from laurel_common.auth.keys import generate_private_key
from laurel_common.auth.principal import PrincipalKind
from laurel_common.auth.tokens import TokenSource
from laurel_common.auth.trust import TrustedKey, format_trust_file

SECRET = "a-secret-for-this-benchmark"  # noqa: S105 - of nobody but the services started here
_GATEWAY = "gateway"


def trust_gateway(having: Servers) -> TokenSource:
    """A gateway's key, and its entry before the services first read the trust directory."""
    layout = Layout(having.root / "laurel")
    layout.make()
    key = generate_private_key(having.root / "gateway.pem")
    entry = TrustedKey(_GATEWAY, PrincipalKind.GATEWAY, key.public_key(), ("*",), None)
    write_secret(layout.trust_file, format_trust_file([entry]))
    layout.trust_file.chmod(0o644)
    return TokenSource(_GATEWAY, key)


@asynccontextmanager
async def gateway(
    caller: Caller, tokens: TokenSource
) -> AsyncIterator[webhook_pb2_grpc.WebhookServiceStub]:
    """What the gateway calls."""
    async with Caller(caller.targets, tokens).channel("ingest") as channel:
        yield webhook_pb2_grpc.WebhookServiceStub(channel)


def opened_issue(
    owner: Mapping[str, Any],
    repository: Mapping[str, Any],
    *,
    number: int,
    person: int,
    installation_id: int | None = None,
) -> webhook_pb2.ReceiveWebhookRequest:
    """An issue of somebody's, just opened, as GitHub delivers it."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    user = {"id": 5_000 + person, "login": f"person-{person}", "type": "User"}
    issue = {
        "number": number,
        "title": f"Issue {number}",
        "user": user,
        "labels": [],
        "created_at": now,
        "updated_at": now,
        "state": "open",
        "body": "x" * 4_000,
    }
    traits = {"owner": owner, "private": False, "fork": False, "default_branch": "main"}
    content: dict[str, Any] = {
        "action": "opened",
        "issue": issue,
        "repository": {**repository, **traits},
        "sender": user,
    }
    if installation_id is not None:
        content["installation"] = {"id": installation_id}
    body = json.dumps(content).encode()
    return webhook_pb2.ReceiveWebhookRequest(
        headers={
            "X-GitHub-Event": "issues",
            "X-GitHub-Delivery": f"{repository['id']}-{number}",
            "X-Hub-Signature-256": "sha256="
            + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        },
        body=body,
    )


def p95(values: Sequence[float]) -> float:
    """What 95 of 100 stay below."""
    return quantiles(values, n=20)[-1]
