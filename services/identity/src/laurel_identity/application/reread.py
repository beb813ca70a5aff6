"""Asks GitHub again about what a hint names, and puts together what it says."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from laurel_common.clock import Clock
from laurel_identity.application.findings import Findings, Given
from laurel_identity.application.github import AccountClient, AppClient
from laurel_identity.application.observed import Observed
from laurel_identity.domain.entities import Kind, Team
from laurel_identity.domain.github import AppInstallation
from laurel_identity.domain.hints import Hint, Part
from laurel_identity.domain.owners import AccountType

Read = Callable[[AppInstallation, Hint, Observed], Coroutine[Any, Any, None]]


class Reread:
    """Raises what the clients raise; then nothing was found out."""

    def __init__(self, app: AppClient, accounts: AccountClient, clock: Clock) -> None:
        self._app = app
        self._github = accounts
        self._clock = clock
        self._parts: dict[Part, Read] = {
            Part.REPOSITORIES: self._repositories,
            Part.EVERYTHING: self._everything,
            Part.REPOSITORY: self._repository,
            Part.COLLABORATOR: self._collaborator,
            Part.MEMBERSHIP: self._membership,
            Part.TEAM: self._team,
            Part.TEAM_MEMBER: self._team_member,
        }

    async def __call__(self, installation_id: int, hint: Hint) -> Findings:
        """What GitHub has of a hint's part of an installation."""
        # What is read later than this is at least as new.
        observed_at = self._clock.now()
        found = await self._app.installation(installation_id)
        if found is None:
            return Findings(installation_id, None, observed_at)
        observed = Observed(found.account)
        read = self._parts.get(hint.part)
        # A suspended installation may ask nothing.
        if read is not None and found.suspended_at is None:
            await read(found, hint, observed)
        return observed.findings(found, observed_at)

    async def _repositories(self, found: AppInstallation, _hint: Hint, seen: Observed) -> None:
        given = await self._github.repositories(found.installation_id)
        seen.add_repositories(given)
        seen.given = Given(frozenset(each.id for each in given), is_complete=True)

    async def _everything(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        await self._repositories(found, hint, seen)
        if found.account.account_type is AccountType.USER or not found.permissions.get("members"):
            return
        account, github = found.account, self._github
        seen.add_members(await github.members(found.installation_id, account.login))
        teams = await github.teams(found.installation_id, account)
        await asyncio.gather(*(self._fill(found, team, seen) for team in teams))
        seen.teams_are_complete = True

    async def _repository(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        repository_id = hint.repository_id or 0
        answer = await self._github.repository(found.installation_id, repository_id)
        if answer is not None:
            seen.add_repository(*answer)
        if answer is None or answer[1].id != found.account.id:
            seen.given = Given(absent=frozenset({repository_id}))
        elif found.repository_selection == "all":
            seen.given = Given(present=frozenset({repository_id}))
        else:
            # Of a public repository only the list tells whether it was given.
            await self._repositories(found, hint, seen)

    async def _collaborator(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        await self._repository(found, hint, seen)
        user = await self._github.user(found.installation_id, hint.user_id or 0)
        if user is not None:
            seen.users[user.id] = user

    async def _membership(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        account, user_id = found.account, hint.user_id or 0
        user = await self._github.user(found.installation_id, user_id)
        role = None
        if user is not None:
            role = await self._github.role(found.installation_id, account.login, user.login)
        if user is not None and role is not None:
            seen.add_member(user, role)
        else:
            seen.absent[Kind.MEMBERSHIP].add((account.id, user_id))

    async def _team(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        team_id = hint.team_id or 0
        team = await self._github.team(found.installation_id, found.account.id, team_id)
        if team is None:
            seen.gone_teams.add(team_id)
        else:
            await self._fill(found, team, seen)

    async def _fill(self, found: AppInstallation, team: Team, seen: Observed) -> None:
        members = await self._github.team_members(found.installation_id, team)
        repositories = await self._github.team_repositories(found.installation_id, team)
        seen.add_team(team, members, repositories)

    async def _team_member(self, found: AppInstallation, hint: Hint, seen: Observed) -> None:
        github, installation_id = self._github, found.installation_id
        team_id, user_id = hint.team_id or 0, hint.user_id or 0
        team = await github.team(installation_id, found.account.id, team_id)
        if team is None:
            seen.gone_teams.add(team_id)
            return
        seen.teams[team.id] = team
        user = await github.user(installation_id, user_id)
        role = None if user is None else await github.team_role(installation_id, team, user.login)
        if user is not None and role is not None:
            seen.add_team_member(team.id, user, role)
        else:
            seen.absent[Kind.TEAM_MEMBER].add((team.id, user_id))
