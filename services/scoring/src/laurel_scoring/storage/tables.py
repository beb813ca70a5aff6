"""The tables that scoring owns, as the migrations make them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from laurel_scoring.domain.vocabulary import (
    MultiplierKind,
    ReviewState,
    SignalType,
    TimePeriod,
    ZeroPointKind,
)

metadata = MetaData()

SIGNAL_TYPE = Enum(*(kind.name.lower() for kind in SignalType), name="signal_type")
REVIEW_STATE = Enum(*(state.name.lower() for state in ReviewState if state), name="review_state")
MULTIPLIER_KIND = Enum(
    # The database's order; the engine's is the order of application.
    MultiplierKind.MERGED_PR_COMMIT.name.lower(),
    MultiplierKind.PR_LINKED_TO_ISSUE.name.lower(),
    MultiplierKind.FIRST_ACTIVITY.name.lower(),
    name="multiplier_kind",
)
ZERO_POINT_KIND = Enum(*(kind.name.lower() for kind in ZeroPointKind), name="zero_point_kind")
TIME_PERIOD = Enum(*(period.name.lower() for period in TimePeriod), name="score_time_period")
POINTS = Numeric(10, 4)
FRACTION = Numeric(6, 4)
MOMENT = DateTime(timezone=True)

scoring_presets = Table(
    "scoring_presets",
    metadata,
    Column("id", BigInteger, autoincrement=True, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("preset_name", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("id", name="pk_scoring_presets"),
    UniqueConstraint("installation_id", "preset_name", name="uq_scoring_presets_installation_name"),
    CheckConstraint("preset_name <> ''", name="ck_scoring_presets_name"),
)
Index(
    "uq_scoring_presets_one_active",
    scoring_presets.c.installation_id,
    unique=True,
    postgresql_where=scoring_presets.c.is_active.is_(True),
)


def _of_preset(table: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["preset_id"], ["scoring_presets.id"], name=f"fk_{table}_preset", ondelete="CASCADE"
    )


scoring_preset_rules = Table(
    "scoring_preset_rules",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("weekly_threshold", Integer, nullable=False, server_default=text("9")),
    Column("decay_factor", FRACTION, nullable=False, server_default=text("0.11")),
    Column("floor_fraction", FRACTION, nullable=False, server_default=text("0.2")),
    Column("spam_penalty", POINTS, nullable=False, server_default=text("'-12'::integer")),
    Column(
        "pr_closed_no_merge_penalty",
        POINTS,
        nullable=False,
        server_default=text("'-10'::integer"),
    ),
    PrimaryKeyConstraint("preset_id", name="pk_scoring_preset_rules"),
    _of_preset("scoring_preset_rules"),
)

scoring_preset_base_points = Table(
    "scoring_preset_base_points",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("signal_type", SIGNAL_TYPE, nullable=False),
    Column("points", POINTS, nullable=False),
    PrimaryKeyConstraint("preset_id", "signal_type", name="pk_scoring_preset_base_points"),
    _of_preset("scoring_preset_base_points"),
)

scoring_preset_multipliers = Table(
    "scoring_preset_multipliers",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("kind", MULTIPLIER_KIND, nullable=False),
    Column("factor", POINTS, nullable=False),
    PrimaryKeyConstraint("preset_id", "kind", name="pk_scoring_preset_multipliers"),
    _of_preset("scoring_preset_multipliers"),
)

scoring_preset_multiplier_signal_types = Table(
    "scoring_preset_multiplier_signal_types",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("kind", MULTIPLIER_KIND, nullable=False),
    Column("signal_type", SIGNAL_TYPE, nullable=False),
    PrimaryKeyConstraint(
        "preset_id", "kind", "signal_type", name="pk_scoring_preset_multiplier_signal_types"
    ),
    ForeignKeyConstraint(
        ["preset_id", "kind"],
        ["scoring_preset_multipliers.preset_id", "scoring_preset_multipliers.kind"],
        name="fk_scoring_preset_multiplier_signal_types_multiplier",
        ondelete="CASCADE",
    ),
)

scoring_preset_review_state_weights = Table(
    "scoring_preset_review_state_weights",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("state", REVIEW_STATE, nullable=False),
    Column("weight", POINTS, nullable=False),
    PrimaryKeyConstraint("preset_id", "state", name="pk_scoring_preset_review_state_weights"),
    _of_preset("scoring_preset_review_state_weights"),
)

scoring_preset_daily_quotas = Table(
    "scoring_preset_daily_quotas",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("signal_type", SIGNAL_TYPE, nullable=False),
    Column("daily_limit", Integer, nullable=False),
    PrimaryKeyConstraint("preset_id", "signal_type", name="pk_scoring_preset_daily_quotas"),
    _of_preset("scoring_preset_daily_quotas"),
)

scoring_preset_zero_point_conditions = Table(
    "scoring_preset_zero_point_conditions",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("kind", ZERO_POINT_KIND, nullable=False),
    PrimaryKeyConstraint("preset_id", "kind", name="pk_scoring_preset_zero_point_conditions"),
    _of_preset("scoring_preset_zero_point_conditions"),
)

scoring_preset_revisions = Table(
    "scoring_preset_revisions",
    metadata,
    Column("preset_id", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("updated_at", MOMENT, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("preset_id", name="pk_scoring_preset_revisions"),
    _of_preset("scoring_preset_revisions"),
)

scoring_preset_changes = Table(
    "scoring_preset_changes",
    metadata,
    Column("id", BigInteger, autoincrement=True, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("preset_id", BigInteger, nullable=False),
    Column("preset_name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("changed_at", MOMENT, nullable=False),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    PrimaryKeyConstraint("id", name="pk_scoring_preset_changes"),
)
Index(
    "idx_scoring_preset_changes_installation",
    scoring_preset_changes.c.installation_id,
    scoring_preset_changes.c.id.desc(),
)

scoring_preset_requests = Table(
    "scoring_preset_requests",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("preset_id", BigInteger, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("installation_id", "request_id", name="pk_scoring_preset_requests"),
    _of_preset("scoring_preset_requests"),
)
Index("idx_scoring_preset_requests_preset", scoring_preset_requests.c.preset_id)

scoring_runs = Table(
    "scoring_runs",
    metadata,
    Column("id", BigInteger, autoincrement=True, nullable=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'queued'")),
    Column("requested_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("as_of", MOMENT),
    Column("requested_at", MOMENT, nullable=False, server_default=text("now()")),
    Column("started_at", MOMENT),
    Column("finished_at", MOMENT),
    Column("boards_total", Integer, nullable=False, server_default=text("0")),
    Column("boards_published", Integer, nullable=False, server_default=text("0")),
    Column("signal_count", BigInteger, nullable=False, server_default=text("0")),
    Column("error_reason", Text),
    Column("preset_id", BigInteger),
    Column("input_mark", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("retry_reason", Text),
    Column("phase", Text),
    Column("signals_expected", BigInteger, nullable=False, server_default=text("0")),
    Column("all_periods", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("id", name="pk_scoring_runs"),
    ForeignKeyConstraint(
        ["preset_id"], ["scoring_presets.id"], name="fk_scoring_runs_preset", ondelete="SET NULL"
    ),
)
Index("idx_scoring_runs_installation", scoring_runs.c.installation_id, scoring_runs.c.id.desc())
Index(
    "idx_scoring_runs_open",
    scoring_runs.c.installation_id,
    postgresql_where=scoring_runs.c.state.in_(["queued", "running"]),
)
Index(
    "uq_scoring_runs_queued",
    scoring_runs.c.installation_id,
    unique=True,
    postgresql_where=scoring_runs.c.state == "queued",
)
Index(
    "idx_scoring_runs_preset",
    scoring_runs.c.preset_id,
    scoring_runs.c.id.desc(),
    postgresql_where=and_(scoring_runs.c.state == "succeeded", scoring_runs.c.all_periods),
)
Index(
    "idx_scoring_runs_finished",
    scoring_runs.c.finished_at,
    postgresql_where=scoring_runs.c.finished_at.is_not(None),
)

scoring_checks = Table(
    "scoring_checks",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("time_period", TIME_PERIOD, nullable=False),
    Column("as_of", MOMENT, nullable=False),
    Column("due_at", MOMENT, nullable=False),
    PrimaryKeyConstraint("installation_id", "time_period", name="pk_scoring_checks"),
)
Index("idx_scoring_checks_due", scoring_checks.c.due_at)

scoring_run_requests = Table(
    "scoring_run_requests",
    metadata,
    Column("installation_id", BigInteger, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("created_at", MOMENT, nullable=False, server_default=text("now()")),
    PrimaryKeyConstraint("installation_id", "request_id", name="pk_scoring_run_requests"),
    ForeignKeyConstraint(
        ["run_id"], ["scoring_runs.id"], name="fk_scoring_run_requests_run", ondelete="CASCADE"
    ),
)
Index("idx_scoring_run_requests_run", scoring_run_requests.c.run_id)
