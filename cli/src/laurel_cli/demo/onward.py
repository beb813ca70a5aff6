"""The lines to go on with after the demo."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from laurel.identity.v1 import entities_pb2
from laurel_cli.display.text import clean


def onward(
    root: Path,
    targets: Mapping[str, str],
    account: entities_pb2.Installation,
    board: str,
    *,
    running: bool,
) -> list[str]:
    """Shell lines that look further: the command line's, and calls by reflection.

    `board` are the options of the board to show. Logins come from strangers: they are quoted,
    because the lines are there to be pasted into a shell.
    """
    data = f"--data {shlex.quote(str(root))}"
    login = clean(account.account_login)
    wanted = {
        "installation_id": str(account.installation_id),
        "scope_type": "SCOPE_TYPE_ORGANIZATION",
        "entity_type": "ENTITY_TYPE_CONTRIBUTOR",
        "time_period": "TIME_PERIOD_MONTH",
    }
    page = shlex.quote(json.dumps({"board": wanted, "page_size": 3}))
    lookup = shlex.quote(json.dumps({"account_login": login}))
    ports = ",".join(target.rpartition(":")[2] for target in targets.values())
    identity, leaderboard = targets["identity"], targets["leaderboard"]
    start = [] if running else [f"laurel up {data} --ports {ports} &"]
    return [
        'export PATH="$PWD/.venv/bin:$PATH"',
        *start,
        f"laurel board {shlex.quote(login)} {data} {board}",
        f"TOKEN=$(laurel token {data})",
        'buf curl --protocol grpc --http2-prior-knowledge --header "authorization: Bearer $TOKEN" '
        f"--data {lookup} "
        f"http://{identity}/laurel.identity.v1.InstallationService/GetInstallation",
        'grpcurl -plaintext -H "authorization: Bearer $TOKEN" '
        f"-d {page} {leaderboard} laurel.leaderboard.v1.LeaderboardService/GetLeaderboard",
    ]
