"""Where ingest's lanes keep their jobs."""

from typing import Final

from laurel_common.jobs import JobSchema

JOB_SCHEMA: Final = JobSchema("ingest_jobs", "laurel_ingest")
