"""Saying whom an author is, and waiting until signals have followed."""

import asyncio
from collections.abc import Callable

from laurel.identity.v1 import directory_claims_pb2, directory_pb2_grpc
from laurel_cli.rpc.caller import Caller

_PAUSE = 0.5
Claim = directory_claims_pb2.IdentityClaim


async def say_claim(caller: Caller, synthetic_id: int, user_id: int | None) -> Claim:
    """Says whom an author is, or takes that back; what stands now."""
    request = directory_claims_pb2.ClaimIdentityRequest(synthetic_user_id=synthetic_id)
    if user_id is None:
        request.release = True
    else:
        request.user_id = user_id
    async with caller.channel("identity") as channel:
        stub = directory_pb2_grpc.DirectoryServiceStub(channel)
        answer: directory_claims_pb2.ClaimIdentityResponse = await stub.ClaimIdentity(request)
    return answer.claim


async def wait_for_claim(
    caller: Caller, synthetic_id: int, user_id: int | None, on_progress: Callable[[Claim], None]
) -> Claim:
    """Says it again until signals have followed."""
    while not (claim := await say_claim(caller, synthetic_id, user_id)).HasField("finish_time"):
        on_progress(claim)
        await asyncio.sleep(_PAUSE)
    return claim
