"""What GitHub said of an installation when it was asked, and what taking it in touches."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from laurel_identity.application.batch import Batch, scope_of
from laurel_identity.application.ports import WriteScope
from laurel_identity.domain.entities import Kind
from laurel_identity.domain.github import AppInstallation

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Given:
    """Which repositories the installation was given and was not; `is_complete`: no others."""

    present: frozenset[int] = frozenset()
    absent: frozenset[int] = frozenset()
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What is there stands in `batch`; all of it was read at `observed_at` or after.

    `installation` is None where GitHub has none with `installation_id`. `absent` are relations
    that are not there; of those in `complete` (by their left sides) none is but the batch's.
    `gone_teams` are not there any more; where `teams_are_complete`, none is but the batch's.
    """

    installation_id: int
    installation: AppInstallation | None
    observed_at: datetime
    batch: Batch = field(default_factory=Batch)
    given: Given | None = None
    absent: Mapping[Kind, frozenset[Key]] = field(default_factory=dict)
    complete: Mapping[Kind, frozenset[int]] = field(default_factory=dict)
    gone_teams: frozenset[int] = frozenset()
    teams_are_complete: bool = False


def scope_of_findings(findings: Findings) -> WriteScope:
    """All that the findings name."""
    scope = scope_of(findings.batch)
    of_teams = (Kind.TEAM_MEMBER, Kind.TEAM_REPOSITORY)
    keys = {kind: findings.absent.get(kind, frozenset()) for kind in (Kind.MEMBERSHIP, *of_teams)}
    return replace(
        scope,
        accounts=scope.accounts
        | {side for key in keys[Kind.MEMBERSHIP] for side in key}
        | {user for _, user in keys[Kind.TEAM_MEMBER]}
        | findings.complete.get(Kind.MEMBERSHIP, frozenset()),
        teams=scope.teams
        | findings.gone_teams
        | {team for kind in of_teams for team, _ in keys[kind]}
        | {team for kind in of_teams for team in findings.complete.get(kind, frozenset())},
        repositories=scope.repositories
        | {repository for _, repository in keys[Kind.TEAM_REPOSITORY]},
    )
