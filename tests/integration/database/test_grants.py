"""Each service's role reaches its own tables and functions, and is refused everything else."""

import pytest
from psycopg import sql
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege

from tests.support.database import Database

OWNERS: dict[str, set[str]] = {
    "laurel_identity": {
        "users",
        "organizations",
        "repositories",
        "teams",
        "organization_memberships",
        "team_members",
        "team_repositories",
        "github_installations",
        "installation_repositories",
        "auth_sessions",
        "session_installations",
        "entity_observations",
        "merged_accounts",
        "private_addresses",
        "session_repositories",
        "session_leases",
        "installation_works",
        "roster_notices",
        "identity_claims",
    },
    "laurel_ingest": {
        "signals",
        "signals_partition_health",
        "ingest_log",
        "repository_sync_state",
        "signal_keys",
        "signal_changes",
        "signal_withdrawals",
        "repository_facts",
        "installation_bots",
        "repository_fact_links",
        "repository_installations",
        "author_claims",
        "claimed_signals",
        "synthetic_user_claims",
        "former_user_claims",
        "installation_signal_states",
        "webhook_deliveries",
        "scoring_notices",
        "sighted_things",
        "signal_corrections",
        "ingest_runs",
        "ingest_run_requests",
        "ingest_run_repositories",
        "repository_histories",
        "author_logins",
        "coverage_gaps",
        "github_budgets",
        "webhook_redeliveries",
        "webhook_failure_readings",
        "signal_moves",
    },
    "laurel_scoring": {
        "scoring_presets",
        "scoring_preset_rules",
        "scoring_preset_base_points",
        "scoring_preset_multipliers",
        "scoring_preset_multiplier_signal_types",
        "scoring_preset_review_state_weights",
        "scoring_preset_daily_quotas",
        "scoring_preset_zero_point_conditions",
        "scoring_runs",
        "scoring_checks",
        "scoring_run_requests",
        "scoring_preset_revisions",
        "scoring_preset_changes",
        "scoring_preset_requests",
    },
    "laurel_leaderboard": {
        "leaderboard_materializations",
        "computed_scores",
        "materialization_inputs",
        "leaderboard_boards",
        "leaderboard_history",
        "leaderboard_history_days",
        "published_presets",
        "stale_installations",
        "stale_boards",
    },
}
# What was done stays written: nobody changes or removes it.
APPENDED = {"scoring_preset_changes", "signal_corrections", "former_user_claims"}
# Likewise, but for how far it has come.
KEPT = {"identity_claims"}
FUNCTIONS = {
    "forget_account(0)": "laurel_identity",
    "cleanup_expired_sessions()": "laurel_identity",
    "purge_expired_auth_sessions()": "laurel_identity",
    "ensure_signals_monthly_partitions('2025-01-01', '2025-01-01')": "laurel_ingest",
    "drop_old_signals_partitions(1200)": "laurel_ingest",
    "purge_superseded_materializations('2000-01-01')": "laurel_leaderboard",
}
# Helpers and trigger functions: nobody calls them but the owner and the triggers.
INTERNAL = [
    "signals_partition_months()",
    "signals_partition_exists('2025-01-01')",
    "create_signals_partition('2025-01-01')",
    "create_signals_partition_indexes('signals_default')",
    "drop_signals_partition('2025-01-01')",
]
ROLES = sorted(OWNERS)
OWNED = sorted((table, role) for role, tables in OWNERS.items() for table in tables)
FOREIGN = [(role, table) for table, owner in OWNED for role in ROLES if role != owner]

_STATEMENTS = {
    "SELECT": "SELECT FROM {table} LIMIT 0",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = {column} WHERE false",
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
}
_FIRST_COLUMN = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum = 1"
_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition AND relname NOT LIKE '\\_yoyo%'
"""


@pytest.mark.parametrize(("role", "table"), FOREIGN)
def test_a_role_is_refused_every_statement_on_a_foreign_table(
    module_database: Database, role: str, table: str
) -> None:
    with module_database.connect() as owner:
        column = owner.execute(_FIRST_COLUMN, (table,)).fetchone()
    assert column is not None
    with module_database.connect(role) as service:
        for statement in _STATEMENTS.values():
            with pytest.raises(InsufficientPrivilege):
                service.execute(
                    sql.SQL(statement).format(
                        table=sql.Identifier(table), column=sql.Identifier(column[0])
                    )
                )


@pytest.mark.parametrize(("table", "role"), OWNED)
def test_a_role_has_the_rights_on_its_own_table_and_no_more(
    module_database: Database, table: str, role: str
) -> None:
    with module_database.connect() as owner:
        rights = owner.execute(
            "SELECT privilege FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',"
            " 'REFERENCES', 'TRIGGER']) AS privilege"
            " WHERE has_table_privilege(%s, 'public.' || %s, privilege)",
            (role, table),
        ).fetchall()

    own = ["SELECT", "INSERT", "UPDATE", "DELETE"]
    if table in APPENDED | KEPT:
        own = own[:2] if table in APPENDED else own[:3]
    assert [right for (right,) in rights] == own


def test_every_table_of_ours_belongs_to_exactly_one_role(module_database: Database) -> None:
    """Also tables of later files: one that nobody, or everybody, may read is a mistake."""
    with module_database.connect() as owner:
        tables = [name for (name,) in owner.execute(_TABLES)]
        holders = {
            table: [
                role
                for role in ROLES
                for allowed in [
                    owner.execute(
                        "SELECT has_table_privilege(%s, 'public.' || %s, 'SELECT')", (role, table)
                    ).fetchone()
                ]
                if allowed == (True,)
            ]
            for table in tables
        }

    assert {table: roles for table, roles in holders.items() if len(roles) != 1} == {}
    owners = {
        role: {table for table, roles in holders.items() if roles == [role]} for role in ROLES
    }
    assert owners == OWNERS


@pytest.mark.parametrize("role", ROLES)
def test_partitions_are_reached_through_signals_alone(module_database: Database, role: str) -> None:
    with module_database.connect() as owner:
        owner.execute("SELECT ensure_signals_monthly_partitions('2025-01-01', '2025-01-01')")
    with module_database.connect(role) as service:
        for partition in ("signals_default", "signals_2025_01"):
            with pytest.raises(InsufficientPrivilege):
                service.execute(sql.SQL("TABLE {}").format(sql.Identifier(partition)))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("call", [*FUNCTIONS, *INTERNAL])
def test_a_function_is_for_the_role_that_calls_it(
    module_database: Database, role: str, call: str
) -> None:
    with module_database.connect(role) as service:
        if FUNCTIONS.get(call) == role:
            service.execute(f"SELECT {call}")
            return
        with pytest.raises(InsufficientPrivilege):
            service.execute(f"SELECT {call}")


def test_no_function_of_ours_is_open_to_everybody(module_database: Database) -> None:
    with module_database.connect() as owner:
        found = owner.execute(
            "SELECT p.proname FROM pg_proc AS p,"
            " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl"
            " WHERE p.pronamespace::regnamespace::text"
            " IN ('public', 'identity_jobs', 'ingest_jobs', 'scoring_jobs')"
            " AND acl.grantee = 0 AND acl.privilege_type = 'EXECUTE'"
        ).fetchall()

    assert found == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_log_in_but_make_nothing(module_database: Database, role: str) -> None:
    with module_database.connect() as owner:
        row = owner.execute(
            "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
            " WHERE rolname = %s",
            (role,),
        ).fetchone()
    assert row == (True, False, False, False, False)
    with module_database.connect(role) as service, pytest.raises(InsufficientPrivilege):
        service.execute("CREATE TABLE public.mine (id integer)")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_read_which_migrations_were_applied(
    module_database: Database, role: str
) -> None:
    with module_database.connect(role) as service:
        row = service.execute("SELECT count(*) >= 18 FROM _yoyo_migration").fetchone()
        assert row == (True,)
        with pytest.raises(InsufficientPrivilege):
            service.execute("DELETE FROM _yoyo_migration")


def test_a_foreign_key_is_checked_without_rights_on_what_it_refers_to(
    module_database: Database,
) -> None:
    """Ingest may not read users, and still can't write a signal of a user that does not exist."""
    with (
        module_database.connect("laurel_ingest") as ingest,
        pytest.raises(ForeignKeyViolation) as refused,
    ):
        ingest.execute(
            "INSERT INTO signals (installation_id, user_id, repository_id, type,"
            " event_timestamp, content_hash) VALUES (1, 1, 1, 'commit', now(), %s)",
            ("0" * 64,),
        )

    assert refused.value.diag.constraint_name == "fk_signals_installation"
