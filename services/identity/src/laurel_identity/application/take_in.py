"""Takes what GitHub said of an installation into the directory, all of it or nothing."""

from dataclasses import replace

from laurel_identity.application.findings import Findings, scope_of_findings
from laurel_identity.application.installation_ports import TeamForgetter
from laurel_identity.application.ports import Directory, DirectoryWriter, TenantReader
from laurel_identity.application.upserting import Upserting
from laurel_identity.domain.entities import Kind
from laurel_identity.domain.github import AppInstallation

_RELATIONS = (Kind.MEMBERSHIP, Kind.TEAM_MEMBER, Kind.TEAM_REPOSITORY)
_TEAMS_PAGE = 10_000


class TakeIn:
    """Idempotent, and safe out of order: of each row the newest word stands.

    Raises ConcurrentChange, DatabaseUnavailable, DependencyUnavailable; nothing is written then,
    but that a team was forgotten.
    """

    def __init__(
        self, directory: Directory, tenants: TenantReader, forget_team: TeamForgetter
    ) -> None:
        self._directory = directory
        self._tenants = tenants
        self._forget_team = forget_team

    async def __call__(self, findings: Findings) -> None:
        doomed = await self._doomed_teams(findings)
        # Boards and signals first: the row must not go from under them.
        for team_id in sorted(doomed):
            await self._forget_team(findings.installation_id, team_id)
        findings = replace(findings, gone_teams=findings.gone_teams | doomed)

        async def work(writer: DirectoryWriter) -> None:
            await _take_in(findings, writer)

        await self._directory.write(scope_of_findings(findings), work)

    async def _doomed_teams(self, findings: Findings) -> set[int]:
        """The teams that have a row and are not there any more."""
        if findings.installation is None:
            return set()
        account_id = findings.installation.account.id
        only = findings.gone_teams
        if findings.teams_are_complete:
            only = frozenset()
        elif not only:
            return set()
        known: set[int] = set()
        after: int | None = None
        while page := await self._tenants.teams(account_id, after, _TEAMS_PAGE, only):
            known |= {team.id for team in page}
            after = page[-1].id
        return known - {team.id for team in findings.batch.teams}


async def _take_in(findings: Findings, writer: DirectoryWriter) -> None:
    observed_at = findings.observed_at
    if findings.installation is None:
        await writer.installations.uninstall(findings.installation_id, observed_at)
        return
    upserting = Upserting(writer, observed_at)
    await upserting.users(findings.batch.users)
    await upserting.owners(findings.batch.owners, findings.batch.users)
    if await writer.installations.put(findings.installation, observed_at):
        upserting.moves(findings.installation.account.id)
    await upserting.repositories(findings.batch.repositories)
    await upserting.teams(findings.batch.teams)
    await _relate(findings, writer, upserting)
    if findings.gone_teams:
        await writer.teams.remove(findings.gone_teams, observed_at)
    await upserting.settle()
    await _give(findings, findings.installation, writer)


async def _relate(findings: Findings, writer: DirectoryWriter, upserting: Upserting) -> None:
    batch = findings.batch
    told = dict(
        zip(
            _RELATIONS,
            (batch.memberships, batch.team_members, batch.team_repositories),
            strict=True,
        )
    )
    teams = {relation.left for kind in _RELATIONS[1:] for relation in told[kind]}
    # A team that is known to be gone since takes its relations along.
    standing = await writer.teams.existing(teams) if teams else set()
    for kind in _RELATIONS:
        absent = set(findings.absent.get(kind, ()))
        if lefts := findings.complete.get(kind):
            absent |= await writer.relations(kind).keys_of(lefts)
        relations = [
            relation
            for relation in told[kind]
            if kind is Kind.MEMBERSHIP or relation.left in standing
        ]
        absent -= {relation.key for relation in relations}
        if kind is Kind.MEMBERSHIP and absent:
            await _leave_teams(writer, upserting, absent)
        await upserting.relations(kind, relations, absent)


async def _leave_teams(
    writer: DirectoryWriter, upserting: Upserting, absent: set[tuple[int, int]]
) -> None:
    """Who is no member of an organization is in none of its teams."""
    keys = await writer.accounts.team_places(absent)
    await upserting.relations(Kind.TEAM_MEMBER, (), keys)


async def _give(
    findings: Findings,
    installation: AppInstallation,
    writer: DirectoryWriter,
) -> None:
    given = findings.given
    if given is not None:
        await writer.installations.give(
            installation.installation_id,
            given.present,
            given.absent,
            findings.observed_at,
            is_complete=given.is_complete,
        )
