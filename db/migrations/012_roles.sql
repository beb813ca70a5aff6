-- One login role per service, with rights on the tables of its own context and no others.
-- No password: whoever operates the cluster sets one (`laurel migrate` can).
-- Ownership stays with the migrating user, so that no service can alter what it stores in.

-- Roles belong to the cluster, advisory locks to one database: two databases of a cluster that
-- are migrated at once meet in the exception handler.
DO $$
DECLARE
    v_role text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('laurel.roles', 0));
    FOREACH v_role IN ARRAY ARRAY[
        'laurel_identity', 'laurel_ingest', 'laurel_scoring', 'laurel_leaderboard'
    ] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = v_role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I LOGIN', v_role);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- the other database's migration made it
            END;
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), v_role);
    END LOOP;
    -- Ingest copies its batches into a staging table of the session.
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO laurel_ingest', current_database());
END;
$$;

GRANT USAGE ON SCHEMA public
    TO laurel_identity, laurel_ingest, laurel_scoring, laurel_leaderboard;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    users, organizations, repositories, teams,
    organization_memberships, team_members, team_repositories,
    github_installations, installation_repositories,
    auth_sessions, session_installations
TO laurel_identity;

-- Partitions are reached through signals alone.
GRANT SELECT, INSERT, UPDATE, DELETE ON
    signals, signals_partition_health, ingest_log, repository_sync_state
TO laurel_ingest;
GRANT USAGE ON SEQUENCE
    signals_partition_health_id_seq, ingest_log_id_seq, repository_sync_state_id_seq
TO laurel_ingest;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    scoring_presets, scoring_preset_rules, scoring_preset_base_points,
    scoring_preset_multipliers, scoring_preset_multiplier_signal_types,
    scoring_preset_review_state_weights, scoring_preset_daily_quotas,
    scoring_preset_zero_point_conditions
TO laurel_scoring;
GRANT USAGE ON SEQUENCE scoring_presets_id_seq TO laurel_scoring;

GRANT SELECT, INSERT, UPDATE, DELETE ON leaderboard_materializations, computed_scores
TO laurel_leaderboard;
GRANT USAGE ON SEQUENCE leaderboard_materializations_id_seq, computed_scores_id_seq
TO laurel_leaderboard;

-- PostgreSQL lets everybody execute a new function. Trigger functions need no right to fire.
REVOKE EXECUTE ON FUNCTION
    set_updated_at(), track_signals_default_usage(),
    cleanup_expired_sessions(), purge_expired_auth_sessions(),
    ensure_signals_monthly_partitions(timestamptz, timestamptz),
    drop_old_signals_partitions(integer),
    purge_superseded_materializations(timestamptz),
    signals_partition_months(), signals_partition_exists(date),
    create_signals_partition_indexes(name), create_signals_partition(date),
    drop_signals_partition(date)
FROM PUBLIC;

GRANT EXECUTE ON FUNCTION cleanup_expired_sessions(), purge_expired_auth_sessions()
TO laurel_identity;
GRANT EXECUTE ON FUNCTION
    ensure_signals_monthly_partitions(timestamptz, timestamptz),
    drop_old_signals_partitions(integer)
TO laurel_ingest;
GRANT EXECUTE ON FUNCTION purge_superseded_materializations(timestamptz)
TO laurel_leaderboard;
