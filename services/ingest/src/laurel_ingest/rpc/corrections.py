"""The methods of SignalService by which signals are corrected, move and are forgotten."""

from dataclasses import dataclass
from typing import Any

from laurel.ingest.v1 import (
    signal_claims_pb2,
    signal_corrections_pb2,
    signal_moves_pb2,
    signal_pb2_grpc,
)
from laurel_ingest.application.adopt_installation import AdoptInstallation, Move
from laurel_ingest.application.bots import ListBots, UpdateBots
from laurel_ingest.application.claim_author import AuthorClaim, ClaimAuthor
from laurel_ingest.application.flag_spam import FlagSpam
from laurel_ingest.application.forget_installation import ForgetInstallation
from laurel_ingest.application.forget_team import ForgetTeam
from laurel_ingest.rpc import convert_corrections as convert


@dataclass(frozen=True, slots=True)
class CorrectionCases:
    """The use cases behind these methods."""

    flag_spam: FlagSpam
    list_bots: ListBots
    update_bots: UpdateBots
    claim_author: ClaimAuthor
    forget_team: ForgetTeam
    adopt_installation: AdoptInstallation
    forget_installation: ForgetInstallation


class CorrectionMethods(signal_pb2_grpc.SignalServiceServicer):
    """Spam, bots, and what moves or goes."""

    _corrections: CorrectionCases

    async def FlagSpam(
        self, request: signal_corrections_pb2.FlagSpamRequest, _context: Any
    ) -> signal_corrections_pb2.FlagSpamResponse:
        """Counts a thing as spam."""
        thing, changed = await self._corrections.flag_spam(
            request.installation_id, convert.subject(request), flagged=True, by=convert.actor()
        )
        return signal_corrections_pb2.FlagSpamResponse(thing=convert.thing(thing), changed=changed)

    async def UnflagSpam(
        self, request: signal_corrections_pb2.UnflagSpamRequest, _context: Any
    ) -> signal_corrections_pb2.UnflagSpamResponse:
        """Takes back that a thing is spam."""
        thing, changed = await self._corrections.flag_spam(
            request.installation_id, convert.subject(request), flagged=False, by=convert.actor()
        )
        return signal_corrections_pb2.UnflagSpamResponse(
            thing=convert.thing(thing), changed=changed
        )

    async def ListBots(
        self, request: signal_corrections_pb2.ListBotsRequest, _context: Any
    ) -> signal_corrections_pb2.ListBotsResponse:
        """A page of an installation's own bots, by user id."""
        page = await self._corrections.list_bots(
            request.installation_id, request.page_size, request.page_token
        )
        return convert.bot_page(page)

    async def UpdateBots(
        self, request: signal_corrections_pb2.UpdateBotsRequest, _context: Any
    ) -> signal_corrections_pb2.UpdateBotsResponse:
        """Changes whom an installation counts as bots."""
        added, removed = await self._corrections.update_bots(
            request.installation_id,
            request.add_user_ids,
            request.remove_user_ids,
            by=convert.actor(),
        )
        return signal_corrections_pb2.UpdateBotsResponse(added_count=added, removed_count=removed)

    async def ClaimAuthor(
        self, request: signal_claims_pb2.ClaimAuthorRequest, _context: Any
    ) -> signal_claims_pb2.ClaimAuthorResponse:
        """Has an author's signals be a person's, or no more."""
        claim = AuthorClaim(request.synthetic_user_id, request.user_id, request.release)
        done = await self._corrections.claim_author(claim)
        return signal_claims_pb2.ClaimAuthorResponse(
            moved_count=done.moved_count, is_complete=done.is_complete
        )

    async def ForgetTeam(
        self, request: signal_corrections_pb2.ForgetTeamRequest, _context: Any
    ) -> signal_corrections_pb2.ForgetTeamResponse:
        """Forgets what refers to a team."""
        count = await self._corrections.forget_team(request.team_id)
        return signal_corrections_pb2.ForgetTeamResponse(forgotten_count=count)

    async def AdoptInstallation(
        self, request: signal_moves_pb2.AdoptInstallationRequest, _context: Any
    ) -> signal_moves_pb2.AdoptInstallationResponse:
        """Moves what is kept of an installation to another one."""
        move = Move(
            request.from_installation_id, request.into_installation_id, request.repository_id
        )
        done = await self._corrections.adopt_installation(move)
        return signal_moves_pb2.AdoptInstallationResponse(
            moved_count=done.moved_count, is_complete=done.is_complete
        )

    async def ForgetInstallation(
        self, request: signal_moves_pb2.ForgetInstallationRequest, _context: Any
    ) -> signal_moves_pb2.ForgetInstallationResponse:
        """Deletes what is kept of an installation that is about to be erased."""
        done = await self._corrections.forget_installation(request.installation_id)
        return signal_moves_pb2.ForgetInstallationResponse(
            forgotten_count=done.forgotten_count, is_complete=done.is_complete
        )
