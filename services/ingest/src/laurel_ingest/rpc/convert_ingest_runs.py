"""Where protobuf meets ingest runs and coverage."""

from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.common.v1 import coverage_pb2, types_pb2
from laurel.ingest.v1 import ingest_runs_pb2
from laurel_ingest.application.history.coverage import Counted, CoveragePage, RepositoryCoverage
from laurel_ingest.application.history.ports import RunRequest
from laurel_ingest.domain.history.coverage import CoverageSummary, GapReason
from laurel_ingest.domain.history.runs import Preset, Run, RunState, Scope

_STATES: Final = {
    RunState.QUEUED: ingest_runs_pb2.INGEST_STATE_QUEUED,
    RunState.RUNNING: ingest_runs_pb2.INGEST_STATE_RUNNING,
    RunState.SUCCEEDED: ingest_runs_pb2.INGEST_STATE_SUCCEEDED,
    RunState.FAILED: ingest_runs_pb2.INGEST_STATE_FAILED,
    RunState.CANCELLED: ingest_runs_pb2.INGEST_STATE_CANCELLED,
}
_PRESETS: Final = {
    types_pb2.TIME_PERIOD_UNSPECIFIED: Preset.ALL_TIME,
    types_pb2.TIME_PERIOD_TODAY: Preset.TODAY,
    types_pb2.TIME_PERIOD_WEEK: Preset.WEEK,
    types_pb2.TIME_PERIOD_MONTH: Preset.MONTH,
    types_pb2.TIME_PERIOD_QUARTER: Preset.QUARTER,
    types_pb2.TIME_PERIOD_HALF_YEAR: Preset.HALF_YEAR,
    types_pb2.TIME_PERIOD_ALL_TIME: Preset.ALL_TIME,
}
_PERIODS: Final = {preset: period for period, preset in _PRESETS.items()}


def run_request(request: ingest_runs_pb2.StartIngestRequest, requested_by: str) -> RunRequest:
    """What is asked for."""
    return RunRequest(
        Scope(request.installation_id, request.team_id or None, request.repository_id or None),
        _PRESETS[request.time_period],
        requested_by,
        request.request_id,
        request.force,
    )


def ingest(run: Run) -> ingest_runs_pb2.Ingest:
    """A run."""
    return ingest_runs_pb2.Ingest(
        id=run.id,
        installation_id=run.scope.installation_id,
        team_id=run.scope.team_id or 0,
        repository_id=run.scope.repository_id or 0,
        state=_STATES[run.state],
        time_period=_PERIODS[run.preset],
        create_time=_time(run.requested_at),
        start_time=_time(run.started_at),
        end_time=_time(run.finished_at),
        repositories_total=run.repositories_total,
        repositories_done=run.repositories_done,
        new_count=run.new_count,
        changed_count=run.changed_count,
        duplicate_count=run.duplicate_count,
        withdrawn_count=run.withdrawn_count,
        request_count=run.request_count,
        point_count=run.point_count,
        points_left=run.points_left,
        waiting_until=_time(run.waiting_until),
        failure_reason=run.failure_reason or "",
        troubles=[
            ingest_runs_pb2.IngestTrouble(
                repository_id=each.repository_id,
                full_name=each.full_name,
                reason=each.reason,
                left_out=each.is_left_out,
            )
            for each in run.troubles
        ],
        reconciling=run.is_reconciling,
    )


def coverage(page: CoveragePage) -> ingest_runs_pb2.GetCoverageResponse:
    """A page of coverage."""
    return ingest_runs_pb2.GetCoverageResponse(
        repositories=[_repository(each) for each in page.repositories],
        next_page_token=page.next_page_token,
    )


def _repository(one: RepositoryCoverage) -> ingest_runs_pb2.RepositoryCoverage:
    return ingest_runs_pb2.RepositoryCoverage(
        repository_id=one.repository_id,
        commits=_counted(one.commits),
        pull_requests=_counted(one.pulls),
        issues=_counted(one.issues),
        last_event_time=_time(one.last_event_at),
        check_time=_time(one.checked_at),
        gap=one.gap,
        gaps=[
            ingest_runs_pb2.CoverageGap(reason=_gap(reason), last_time=_time(at))
            for reason, at in one.gaps.items()
        ],
    )


def scope_of(request: ingest_runs_pb2.SummarizeCoverageRequest) -> Scope:
    """What is asked about."""
    return Scope(request.installation_id, request.team_id or None, request.repository_id or None)


def summary(found: CoverageSummary) -> coverage_pb2.CoverageSummary:
    """A scope's coverage."""
    return coverage_pb2.CoverageSummary(
        line=found.line(),
        repository_count=found.repositories,
        whole_repository_count=found.whole,
        known_count=found.known,
        total_count=found.total,
        gaps=[
            coverage_pb2.CoverageGapCount(reason=_gap(reason), repository_count=count)
            for reason, count in found.gaps.items()
        ],
        last_event_time=_time(found.last_event_at),
    )


def _gap(reason: GapReason) -> coverage_pb2.CoverageGapReason.ValueType:
    return coverage_pb2.CoverageGapReason.ValueType(reason)


def _counted(counted: Counted) -> ingest_runs_pb2.KindCoverage:
    return ingest_runs_pb2.KindCoverage(known=counted.known, total=counted.total)


def _time(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
