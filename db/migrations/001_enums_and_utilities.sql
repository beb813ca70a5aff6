-- Enumerated types and the functions that tables and schedules lean on.
-- Function bodies name tables of later files: PL/pgSQL resolves them when they run.

CREATE TYPE account_type AS ENUM ('organization', 'user');

CREATE TYPE signal_type AS ENUM (
    'commit', 'pr_open', 'pr_merge', 'pr_close_no_merge', 'issue_open', 'issue_close',
    'review', 'review_comment', 'comment', 'spam'
);

CREATE TYPE score_scope_type AS ENUM ('organization', 'team', 'repository');

CREATE TYPE score_entity_type AS ENUM ('contributor', 'team', 'repository');

CREATE TYPE score_time_period AS ENUM (
    'today', 'week', 'month', 'quarter', 'half_year', 'all_time'
);

CREATE TYPE team_privacy AS ENUM ('secret', 'closed', 'open');

CREATE TYPE review_state AS ENUM ('approved', 'changes_requested', 'commented');

CREATE TYPE multiplier_kind AS ENUM ('merged_pr_commit', 'pr_linked_to_issue', 'first_activity');

CREATE TYPE zero_point_kind AS ENUM (
    'self_review', 'self_merge', 'bot_activity', 'issue_closed_no_pr', 'pr_closed_no_merge'
);


CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION set_updated_at() IS 'Sets updated_at on every row update.';


-- Housekeeping beside live traffic: a session that somebody is using right now (its row is
-- locked) is left for the next round instead of being waited for.
CREATE FUNCTION cleanup_expired_sessions() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_deleted integer;
BEGIN
    DELETE FROM public.auth_sessions
    WHERE id IN (
        SELECT id FROM public.auth_sessions WHERE expires_at <= now() FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
    RETURN v_deleted;
END;
$$;

COMMENT ON FUNCTION cleanup_expired_sessions() IS
    'Deletes expired sessions, skipping locked ones; returns how many.';


-- Maintenance: afterwards no expired session is left, so it waits for locked ones.
CREATE FUNCTION purge_expired_auth_sessions() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_deleted integer;
BEGIN
    DELETE FROM public.auth_sessions WHERE expires_at <= now();
    GET DIAGNOSTICS v_deleted = ROW_COUNT;
    RETURN v_deleted;
END;
$$;

COMMENT ON FUNCTION purge_expired_auth_sessions() IS
    'Deletes every expired session, waiting for locked ones; returns how many.';


-- The range is inclusive: the months of p_start and p_end both get a partition. The advisory
-- lock serializes makers; whoever waited finds the partitions there. Call it in a transaction of
-- its own: locks on signals_default and on the referenced tables are held until it ends.
CREATE FUNCTION ensure_signals_monthly_partitions(p_start timestamptz, p_end timestamptz)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '15s'
AS $$
DECLARE
    v_months date[];
    v_month date;
    v_created integer := 0;
BEGIN
    IF p_start IS NULL OR p_end IS NULL OR NOT isfinite(p_start) OR NOT isfinite(p_end)
        OR p_end < p_start OR p_end > p_start + interval '50 years'
    THEN
        RAISE EXCEPTION 'partition range must be finite, ordered and at most 50 years'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    v_months := ARRAY(
        SELECT m::date
        FROM generate_series(
            date_trunc('month', p_start), date_trunc('month', p_end), interval '1 month'
        ) AS m
        WHERE NOT public.signals_partition_exists(m::date)
        ORDER BY m
    );
    IF cardinality(v_months) = 0 THEN
        RETURN 0;
    END IF;

    PERFORM pg_advisory_xact_lock(hashtextextended('laurel.signals_partitions', 0));
    FOREACH v_month IN ARRAY v_months LOOP
        IF NOT public.signals_partition_exists(v_month) THEN
            PERFORM public.create_signals_partition(v_month);
            v_created := v_created + 1;
        END IF;
    END LOOP;
    RETURN v_created;
END;
$$;

COMMENT ON FUNCTION ensure_signals_monthly_partitions(timestamptz, timestamptz) IS
    'Makes the missing monthly partitions of signals from p_start''s month to p_end''s (UTC), '
    'moving rows of those months out of the default partition; returns how many it made.';


-- A row trigger: statement triggers on a partition do not fire for rows routed to it through the
-- parent. It appends, so that writers never wait for one another over a counter.
CREATE FUNCTION track_signals_default_usage() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.signals_partition_health
        (event_month, first_event_timestamp, last_event_timestamp)
    VALUES (
        date_trunc('month', NEW.event_timestamp AT TIME ZONE 'UTC')::date,
        NEW.event_timestamp,
        NEW.event_timestamp
    );
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION track_signals_default_usage() IS
    'Logs each row that lands in the default partition of signals into signals_partition_health.';


CREATE FUNCTION purge_superseded_materializations(p_before timestamptz) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_ids bigint[];
BEGIN
    -- Skipping locked rows lets two purgers share the work instead of queueing.
    v_ids := ARRAY(
        SELECT id
        FROM public.leaderboard_materializations
        WHERE retention_state IN ('superseded', 'expired') AND retention_expires_at < p_before
        ORDER BY id
        FOR UPDATE SKIP LOCKED
    );
    DELETE FROM public.computed_scores WHERE materialization_id = ANY (v_ids);
    UPDATE public.leaderboard_materializations
    SET retention_state = 'purged', redis_cache_key = NULL
    WHERE id = ANY (v_ids);
    RETURN cardinality(v_ids);
END;
$$;

COMMENT ON FUNCTION purge_superseded_materializations(timestamptz) IS
    'Deletes the scores of versions whose retention ran out before p_before and leaves their '
    'metadata as a purged tombstone; returns how many versions.';


-- Dropping takes the strongest lock on signals; it is waited for briefly and tried again, so that
-- readers queue behind it for a quarter of a second at most. The dropped rows' deduplication keys
-- go in the same transaction, or the same events could never be ingested again.
CREATE FUNCTION drop_old_signals_partitions(p_keep_months integer) RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '15s'
AS $$
DECLARE
    v_months date[];
    v_month date;
BEGIN
    IF p_keep_months IS NULL OR p_keep_months < 1 THEN
        RAISE EXCEPTION 'p_keep_months must be at least 1'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('laurel.signals_partitions', 0));

    v_months := ARRAY(
        SELECT month
        FROM public.signals_partition_months() AS month
        WHERE month < date_trunc('month', now()) - make_interval(months => p_keep_months)
        ORDER BY month
    );
    IF cardinality(v_months) = 0 THEN
        RETURN 0;
    END IF;

    IF to_regclass('public.signal_keys') IS NOT NULL THEN
        DELETE FROM public.signal_keys
        WHERE date_trunc('month', event_timestamp)::date = ANY (v_months);
    END IF;
    FOREACH v_month IN ARRAY v_months LOOP
        PERFORM public.drop_signals_partition(v_month);
    END LOOP;
    RETURN cardinality(v_months);
END;
$$;

COMMENT ON FUNCTION drop_old_signals_partitions(integer) IS
    'Drops the monthly partitions of signals that end before the last p_keep_months whole months, '
    'with the deduplication keys of their rows; returns how many partitions.';
