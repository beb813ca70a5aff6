"""Identity's lane: what is done about an account's installations, one thing after the other."""

from typing import Final

from laurel_common.jobs import JobSchema, Lane

JOB_SCHEMA: Final = JobSchema("identity_jobs", "laurel_identity")
INSTALLATIONS: Final = Lane(
    JOB_SCHEMA, name="installations", task="work_on_installations", subject="account"
)
