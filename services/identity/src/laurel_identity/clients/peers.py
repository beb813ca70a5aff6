"""The other services, as identity calls them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor

from laurel.ingest.v1 import signal_pb2
from laurel.leaderboard.v1 import materialization_pb2
from laurel.scoring.v1 import preset_pb2, scoring_pb2
from laurel_common.auth.keys import load_private_key
from laurel_common.auth.tokens import TokenSource
from laurel_common.clock import Clock
from laurel_common.rpc.client import connect_peer
from laurel_identity.application.claim_identity import Authors
from laurel_identity.application.installation_ports import TeamForgetter
from laurel_identity.application.work_ports import HistoryMover, StartScoring
from laurel_identity.clients.authors import IngestAuthors
from laurel_identity.clients.history import HistoryServices
from laurel_identity.clients.scoring import ScoringRuns
from laurel_identity.clients.teams import ForgetTeams
from laurel_identity.config import IdentitySettings


@dataclass(frozen=True, slots=True)
class Peers:
    """What of theirs identity needs."""

    forget_team: TeamForgetter
    history: HistoryMover
    start_scoring: StartScoring
    authors: Authors


def connect_peers(
    settings: IdentitySettings, clock: Clock, closers: list[Callable[[], Awaitable[object]]]
) -> Peers:
    """One channel to each. Raises KeyFileError, ConfigError."""
    tokens = TokenSource("identity", load_private_key(settings.key_file), clock=clock)
    services: dict[str, list[ServiceDescriptor]] = {
        "ingest": [signal_pb2.DESCRIPTOR.services_by_name["SignalService"]],
        "leaderboard": [materialization_pb2.DESCRIPTOR.services_by_name["MaterializationService"]],
        "scoring": [
            preset_pb2.DESCRIPTOR.services_by_name["PresetService"],
            scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"],
        ],
    }
    channels = {
        name: connect_peer(settings, name, tokens=tokens, services=those)
        for name, those in services.items()
    }
    closers.extend(channel.close for channel in channels.values())
    return Peers(
        ForgetTeams(channels["leaderboard"], channels["ingest"]),
        HistoryServices(**channels),
        ScoringRuns(channels["scoring"]),
        IngestAuthors(channels["ingest"]),
    )
