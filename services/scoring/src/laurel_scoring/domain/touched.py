"""Which boards a change can have changed: a board is made of what its scope's signals are, in its
window, and of nothing else.
"""

from collections.abc import Mapping

import numpy as np

from laurel_scoring.domain.columns import Int64s, Signals
from laurel_scoring.domain.merging import Pairs, pairs_of
from laurel_scoring.domain.periods import Windows
from laurel_scoring.domain.roster import Roster, Team, sorted_ids
from laurel_scoring.domain.vocabulary import ScopeType

Scopes = Mapping[ScopeType, Int64s]
"""Ids of scopes by their kind, ascending."""


def crossed(signals: Signals, before: Windows, now: Windows) -> Pairs:
    """Who did something that is in one of the windows `now` and was not in it `before`, or the
    other way round. Ordered signals; windows of the same periods, of which `now` is the later.
    """
    when = signals.event_timestamp
    edges = [(before.last + 1, now.last + 1)]
    edges += [pair for pair in zip(before.starts, now.starts, strict=True) if pair[0] != pair[1]]
    slices = []
    for first, end in edges:
        rows = slice(*np.searchsorted(when, [first, end], side="left").tolist())
        if rows.stop > rows.start:
            slices.append(pairs_of(signals, np.arange(rows.start, rows.stop)))
    return Pairs.none().with_others(*slices)


def scopes_of(touched: Pairs, roster: Roster) -> Scopes:
    """The scopes that hold signals of one of these pairs."""
    repositories = sorted_ids(roster.repositories)
    seen = np.isin(touched.repositories, repositories)
    inside = Pairs(touched.users[seen], touched.repositories[seen])
    teams = [team.id for team in roster.teams if _is_touched(team, inside)]
    organization = [roster.organization_id] if len(inside) else []
    return {
        ScopeType.ORGANIZATION: sorted_ids(organization),
        ScopeType.TEAM: sorted_ids(teams),
        ScopeType.REPOSITORY: np.unique(inside.repositories),
    }


def _is_touched(team: Team, inside: Pairs) -> bool:
    by_members = np.isin(inside.users, sorted_ids(team.members))
    if team.repositories:
        by_members &= np.isin(inside.repositories, sorted_ids(team.repositories))
    return bool(by_members.any())
