-- Ingest: a signal's metadata from typed columns and back. Plain SQL functions, which the planner
-- inlines, so that no row becomes an object anywhere on its way.

-- Bits: 1 is_bot, 2 is_self_review, 4 is_self_merge, 8 is_in_merged_pr, 16 has_linked_issue,
-- 32 has_linked_pr. A flag that is not set is left out, as is whatever is null.
CREATE FUNCTION signal_metadata(
    flags integer, review_state smallint, additions integer, deletions integer,
    number bigint, title text, object_id text
) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT (
        '{' || concat_ws(
            ',',
            CASE WHEN $1 & 1 <> 0 THEN '"is_bot":true' END,
            CASE WHEN $1 & 2 <> 0 THEN '"is_self_review":true' END,
            CASE WHEN $1 & 4 <> 0 THEN '"is_self_merge":true' END,
            CASE WHEN $1 & 8 <> 0 THEN '"is_in_merged_pr":true' END,
            CASE WHEN $1 & 16 <> 0 THEN '"has_linked_issue":true' END,
            CASE WHEN $1 & 32 <> 0 THEN '"has_linked_pr":true' END,
            CASE $2
                WHEN 1 THEN '"review_state":"approved"'
                WHEN 2 THEN '"review_state":"changes_requested"'
                WHEN 3 THEN '"review_state":"commented"'
            END,
            '"additions":' || $3,
            '"deletions":' || $4,
            '"number":' || $5,
            '"title":' || to_json($6),
            '"object_id":' || to_json($7)
        ) || '}'
    )::jsonb
$$;

CREATE FUNCTION signal_flags(metadata jsonb) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN $1 -> 'is_bot' = 'true'::jsonb THEN 1 ELSE 0 END
        | CASE WHEN $1 -> 'is_self_review' = 'true'::jsonb THEN 2 ELSE 0 END
        | CASE WHEN $1 -> 'is_self_merge' = 'true'::jsonb THEN 4 ELSE 0 END
        | CASE WHEN $1 -> 'is_in_merged_pr' = 'true'::jsonb THEN 8 ELSE 0 END
        | CASE WHEN $1 -> 'has_linked_issue' = 'true'::jsonb THEN 16 ELSE 0 END
        | CASE WHEN $1 -> 'has_linked_pr' = 'true'::jsonb THEN 32 ELSE 0 END
$$;

REVOKE EXECUTE ON FUNCTION
    signal_metadata(integer, smallint, integer, integer, bigint, text, text), signal_flags(jsonb)
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    signal_metadata(integer, smallint, integer, integer, bigint, text, text), signal_flags(jsonb)
TO laurel_ingest;
