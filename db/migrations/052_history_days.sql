-- Leaderboard: which days a board's history holds, how far the filling came, and the ways to it.

-- A board that stood at the end of a day, also where nobody stood on it.
CREATE TABLE leaderboard_history_days (
    board_id bigint NOT NULL,
    day date NOT NULL,
    version integer NOT NULL,
    as_of timestamptz NOT NULL,
    entry_count integer NOT NULL,
    CONSTRAINT pk_leaderboard_history_days PRIMARY KEY (board_id, day),
    CONSTRAINT fk_leaderboard_history_days_board FOREIGN KEY (board_id)
        REFERENCES leaderboard_boards (id) ON DELETE CASCADE
);

-- What is past its time, oldest first.
CREATE INDEX idx_leaderboard_history_days_day ON leaderboard_history_days (day);

GRANT SELECT, INSERT, UPDATE, DELETE ON leaderboard_history_days TO laurel_leaderboard;

-- The last day that was written for a preset's boards.
ALTER TABLE published_presets ADD COLUMN history_day date;

-- A board of any scope by what names it.
CREATE UNIQUE INDEX uq_leaderboard_boards_board ON leaderboard_boards (
    preset_id,
    scope_type,
    (COALESCE(team_id, repository_id, organization_id)),
    entity_type,
    time_period
);

-- Replaced versions whose rows are still there: those that stood at the end of a day among them.
CREATE INDEX idx_leaderboard_materializations_kept
    ON leaderboard_materializations (preset_id, superseded_at)
    WHERE retention_state IN ('superseded', 'expired');
