-- Leaderboard: tell an unchanged result from a new one, and find boards and versions in the order
-- in which they are listed.

-- SHA-256 over a version's rules and rows, as scoring made it.
ALTER TABLE materialization_inputs ADD COLUMN digest bytea NOT NULL
    CONSTRAINT ck_materialization_inputs_digest CHECK (octet_length(digest) = 32);

-- The current version of a board of any scope, and an installation's boards by board.
CREATE INDEX idx_leaderboard_materializations_board ON leaderboard_materializations (
    preset_id,
    scope_type,
    (COALESCE(team_id, repository_id, organization_id)),
    entity_type,
    time_period
) WHERE retention_state = 'current';

-- Versions, newest first.
CREATE INDEX idx_leaderboard_materializations_newest
    ON leaderboard_materializations (preset_id, id DESC);
