"""Leaderboard's tables as SQLAlchemy Core sees them: the columns, types and keys of the migrations.

CHECKs, indexes and foreign keys into other contexts are PostgreSQL's to hold and stand there alone.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.schema import SchemaItem

from laurel_leaderboard.domain.boards import EntityType, ScopeType, TimePeriod

metadata = MetaData()


def _enum(kind: type[ScopeType] | type[EntityType] | type[TimePeriod], name: str) -> Enum:
    return Enum(kind, name=name, create_type=False, values_callable=lambda e: [m.value for m in e])


scope_type = _enum(ScopeType, "score_scope_type")
entity_type = _enum(EntityType, "score_entity_type")
time_period = _enum(TimePeriod, "score_time_period")
_time = DateTime(timezone=True)


def _board_columns() -> list[SchemaItem]:
    return [
        Column("preset_id", BigInteger, nullable=False),
        Column("scope_type", scope_type, nullable=False),
        Column("organization_id", BigInteger, nullable=False),
        Column("team_id", BigInteger),
        Column("repository_id", BigInteger),
        Column("entity_type", entity_type, nullable=False),
        Column("time_period", time_period, nullable=False),
    ]


leaderboard_materializations = Table(
    "leaderboard_materializations",
    metadata,
    Column("id", BigInteger, nullable=False, autoincrement=True),
    *_board_columns(),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("row_count", Integer, nullable=False, server_default=text("0")),
    Column("signal_count", Integer, nullable=False, server_default=text("0")),
    Column("retention_state", Text, nullable=False),
    Column("superseded_at", _time),
    Column("retention_expires_at", _time),
    Column("redis_cache_key", Text),
    Column("computed_at", _time, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("id", name="pk_leaderboard_materializations"),
)

materialization_inputs = Table(
    "materialization_inputs",
    metadata,
    Column(
        "materialization_id",
        BigInteger,
        ForeignKey(
            "leaderboard_materializations.id",
            name="fk_materialization_inputs_materialization",
            ondelete="CASCADE",
        ),
        nullable=False,
    ),
    Column("as_of", _time, nullable=False),
    Column("rules", JSONB, nullable=False),
    Column("input_mark", Text, nullable=False),
    Column("last_checked_at", _time, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("settled_mark", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("materialization_id", name="pk_materialization_inputs"),
)

computed_scores = Table(
    "computed_scores",
    metadata,
    Column("id", BigInteger, nullable=False, autoincrement=True),
    Column(
        "materialization_id",
        BigInteger,
        ForeignKey(
            "leaderboard_materializations.id",
            name="fk_computed_scores_materialization",
            ondelete="CASCADE",
        ),
        nullable=False,
    ),
    Column("entity_type", entity_type, nullable=False),
    Column("user_id", BigInteger),
    Column("scored_team_id", BigInteger),
    Column("scored_repo_id", BigInteger),
    Column("time_period", time_period, nullable=False),
    Column("score", Numeric(12, 4), nullable=False, server_default=text("0")),
    Column("breakdown", JSONB, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("additions", Integer, nullable=False, server_default=text("0")),
    Column("deletions", Integer, nullable=False, server_default=text("0")),
    Column("rank", Integer, nullable=False),
    Column("member_count", Integer),
    Column("version", Integer, nullable=False, server_default=text("1")),
    PrimaryKeyConstraint("id", name="pk_computed_scores"),
)

published_presets = Table(
    "published_presets",
    metadata,
    Column("preset_id", BigInteger, nullable=False, autoincrement=False),
    Column("installation_id", BigInteger, nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("is_served", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", _time, nullable=False, server_default=func.now()),
    Column("updated_at", _time, nullable=False, server_default=func.now()),
    Column("history_day", Date),
    PrimaryKeyConstraint("preset_id", name="pk_published_presets"),
)

leaderboard_boards = Table(
    "leaderboard_boards",
    metadata,
    Column("id", BigInteger, nullable=False, autoincrement=True),
    *_board_columns(),
    PrimaryKeyConstraint("id", name="pk_leaderboard_boards"),
)

leaderboard_history = Table(
    "leaderboard_history",
    metadata,
    Column(
        "board_id",
        BigInteger,
        ForeignKey(
            "leaderboard_boards.id", name="fk_leaderboard_history_board", ondelete="CASCADE"
        ),
        nullable=False,
    ),
    Column("day", Date, nullable=False),
    Column("entity_id", BigInteger, nullable=False),
    Column("score", Numeric(12, 4), nullable=False),
    Column("rank", Integer, nullable=False),
    PrimaryKeyConstraint("board_id", "day", "entity_id", name="pk_leaderboard_history"),
)

leaderboard_history_days = Table(
    "leaderboard_history_days",
    metadata,
    Column(
        "board_id",
        BigInteger,
        ForeignKey(
            "leaderboard_boards.id", name="fk_leaderboard_history_days_board", ondelete="CASCADE"
        ),
        nullable=False,
    ),
    Column("day", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("as_of", _time, nullable=False),
    Column("entry_count", Integer, nullable=False),
    PrimaryKeyConstraint("board_id", "day", name="pk_leaderboard_history_days"),
)

stale_installations = Table(
    "stale_installations",
    metadata,
    Column("installation_id", BigInteger, nullable=False, autoincrement=False),
    Column("last_mark", BigInteger, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("marked_at", _time, nullable=False),
    PrimaryKeyConstraint("installation_id", name="pk_stale_installations"),
)

stale_boards = Table(
    "stale_boards",
    metadata,
    Column("preset_id", BigInteger, nullable=False, autoincrement=False),
    Column("scope_type", scope_type, nullable=False),
    Column("scope_id", BigInteger, nullable=False),
    Column("entity_type", entity_type, nullable=False),
    Column("time_period", time_period, nullable=False),
    Column("mark", BigInteger, nullable=False),
    Column("cause", Text, nullable=False),
    Column("marked_at", _time, nullable=False),
    PrimaryKeyConstraint(
        "preset_id", "scope_type", "scope_id", "entity_type", "time_period", name="pk_stale_boards"
    ),
)
