"""The lines to go on with after the demo."""

from collections.abc import Mapping
from pathlib import Path

from laurel_cli.display.text import clean


def onward(
    root: Path, targets: Mapping[str, str], installation_id: int, account: str, *, running: bool
) -> list[str]:
    """Shell lines that look further: the command line's, and calls by reflection."""
    name = clean(account)
    board = (
        f'{{"board": {{"installation_id": "{installation_id}", '
        '"scope_type": "SCOPE_TYPE_ORGANIZATION", "entity_type": "ENTITY_TYPE_CONTRIBUTOR", '
        '"time_period": "TIME_PERIOD_MONTH"}, "page_size": 3}'
    )
    ports = ",".join(target.rpartition(":")[2] for target in targets.values())
    identity, leaderboard = targets["identity"], targets["leaderboard"]
    start = [] if running else [f"laurel up --data {root} --ports {ports} &"]
    return [
        'export PATH="$PWD/.venv/bin:$PATH"',
        *start,
        f"laurel board {name} --data {root} --scope team:web --period quarter",
        f"TOKEN=$(laurel token --data {root})",
        'buf curl --protocol grpc --http2-prior-knowledge --header "authorization: Bearer $TOKEN" '
        f'--data \'{{"account_login": "{name}"}}\' '
        f"http://{identity}/laurel.identity.v1.InstallationService/GetInstallation",
        'grpcurl -plaintext -H "authorization: Bearer $TOKEN" '
        f"-d '{board}' {leaderboard} laurel.leaderboard.v1.LeaderboardService/GetLeaderboard",
    ]
