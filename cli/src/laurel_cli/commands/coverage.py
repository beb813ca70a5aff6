"""`laurel coverage`: what of each repository is known, of how much there is."""

from pathlib import Path

from laurel.ingest.v1 import ingest_runs_pb2
from laurel_cli.display.ingests import coverage_table
from laurel_cli.options import Account, AsJson, Data, Endpoint, Key, Token
from laurel_cli.rpc.caller import Caller
from laurel_cli.rpc.ingests import coverage_line, coverage_of, repository_names
from laurel_cli.rpc.lookups import find_installation
from laurel_cli.rpc.where import Where
from laurel_cli.running import console, print_json, remark, run


def coverage(
    account: Account,
    *,
    as_json: AsJson = False,
    data: Data = Path(".laurel"),
    endpoint: Endpoint = None,
    token: Token = "",
    key: Key = None,
) -> None:
    """Show what of an account's repositories is known, against GitHub's own counts."""
    where = Where(data, tuple(endpoint or ()), token, key)

    async def work() -> tuple[list[ingest_runs_pb2.RepositoryCoverage], dict[int, str], str]:
        caller = Caller.of(where)
        installation = await find_installation(caller, account)
        id_ = installation.installation_id
        found = [each async for each in coverage_of(caller, id_)]
        return found, await repository_names(caller, id_), await coverage_line(caller, id_)

    found, names, line = run(work())
    if as_json:
        print_json(ingest_runs_pb2.GetCoverageResponse(repositories=found))
    else:
        console.print(coverage_table(found, names))
        remark(line)
