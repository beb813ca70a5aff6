"""What ingest's table definitions share: the metadata, the enum, and what a time is."""

from sqlalchemy import DateTime, MetaData
from sqlalchemy.dialects.postgresql import ENUM

metadata = MetaData()
time = DateTime(timezone=True)

signal_type = ENUM(
    *("commit", "pr_open", "pr_merge", "pr_close_no_merge", "issue_open", "issue_close"),
    *("review", "review_comment", "comment", "spam"),
    name="signal_type",
    create_type=False,
)
