"""Which account of an archive to show."""

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson

from laurel.identity.v1 import entities_pb2
from laurel.ingest.v1 import signal_pb2_grpc, signal_reads_pb2
from laurel_cli.errors import NotKnownError
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.lookups import installation_of
from laurel_common.errors import RemoteError

# Archives are full of accounts that only star, fork and make branches.
_CANDIDATES = 50


def busiest_owners(lines: Iterable[bytes]) -> list[str]:
    """The logins of the owners with the most events, busiest first; none where no line names a
    repository.

    Lines that can't be read are ingest's to complain about. Where two have as many, the login
    that sorts first.
    """
    owners: Counter[str] = Counter()
    for line in lines:
        try:
            event = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        repository = event.get("repo") if isinstance(event, dict) else None
        name = repository.get("name") if isinstance(repository, dict) else None
        if isinstance(name, str) and "/" in name:
            owners[name.partition("/")[0].lower()] += 1
    return sorted(owners, key=lambda login: (-owners[login], login))[:_CANDIDATES]


async def first_with_signals(caller: Caller, logins: Sequence[str]) -> entities_pb2.Installation:
    """The installation of the first of these accounts that has a signal.

    Raises NotKnownError where none has.
    """
    async with caller.channel("ingest") as channel:
        stub = signal_pb2_grpc.SignalServiceStub(channel)
        for login in logins:
            try:
                found = await installation_of(caller, login)
            except RemoteError as error:
                # Of nothing that counts no account was made; some names are none at all.
                if error.code not in ("NOT_FOUND", "INVALID_ARGUMENT"):
                    raise
                continue
            request = signal_reads_pb2.ListSignalsRequest(
                installation_id=found.installation_id, page_size=1
            )
            answer: signal_reads_pb2.ListSignalsResponse = await stub.ListSignals(request)
            if answer.signals:
                return found
    raise NotKnownError("nothing that counts was imported: there are no boards to show")
