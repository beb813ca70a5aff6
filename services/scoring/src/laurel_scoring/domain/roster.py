"""Who and what an installation consists of: the part of the inputs that identity knows."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from laurel_scoring.domain.columns import Int64s, positions_in
from laurel_scoring.domain.grouping import TeamIndex


@dataclass(frozen=True)
class Team:
    """A team: its members, and its repositories (none means all of the organization's)."""

    id: int
    members: frozenset[int]
    repositories: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Roster:
    """The organization of an installation, what it can see, its teams, and who is a bot."""

    organization_id: int
    repositories: frozenset[int]
    teams: tuple[Team, ...] = ()
    bots: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "teams", tuple(sorted(self.teams, key=lambda team: team.id)))


def sorted_ids(ids: Iterable[int]) -> Int64s:
    """`ids` ascending as an array."""
    return np.array(sorted(ids), dtype=np.int64)


def team_index(roster: Roster, users: Int64s, repositories: Int64s) -> TeamIndex:
    """Indexes the roster's teams over the ids that occur in the signals."""
    teams = roster.teams
    covers = np.zeros((len(teams), len(repositories)), dtype=np.uint8)
    pairs: list[tuple[Int64s, int]] = []
    for number, team in enumerate(teams):
        if team.repositories:
            known = positions_in(sorted_ids(team.repositories), repositories)
            covers[number, known[known >= 0]] = 1
        else:
            covers[number] = 1
        members = positions_in(sorted_ids(team.members), users)
        pairs.append((members[members >= 0].astype(np.int64), number))
    user_of = np.concatenate([members for members, _ in pairs] or [np.empty(0, dtype=np.int64)])
    team_of = np.concatenate(
        [np.full(len(members), number, dtype=np.int32) for members, number in pairs]
        or [np.empty(0, dtype=np.int32)]
    )
    team_at = np.zeros(len(users) + 1, dtype=np.int64)
    np.cumsum(np.bincount(user_of, minlength=len(users)), out=team_at[1:])
    return TeamIndex(
        ids=np.array([team.id for team in teams], dtype=np.int64),
        member_count=np.array([len(team.members) for team in teams], dtype=np.int32),
        team_at=team_at,
        team_of=team_of[np.argsort(user_of, kind="stable")],
        covers=covers,
    )
