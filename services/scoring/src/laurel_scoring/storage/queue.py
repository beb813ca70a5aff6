"""Scoring's lane: one job an installation at a time."""

from typing import Final

from laurel_common.jobs import JobSchema, Lane

JOB_SCHEMA: Final = JobSchema("scoring_jobs", "laurel_scoring")
LANE: Final = Lane(JOB_SCHEMA, name="scoring", task="score_installation", subject="installation")
