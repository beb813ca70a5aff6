-- Leaderboard: changes that boards do not hold yet. Each mark is a number of its installation's;
-- a version is stale while a mark on its board is higher than the one that it settled.

CREATE TABLE stale_installations (
    installation_id bigint NOT NULL,
    -- The last mark that was given, and the last one that was on all boards.
    last_mark bigint NOT NULL,
    mark bigint NOT NULL,
    cause text NOT NULL,
    marked_at timestamptz NOT NULL,
    CONSTRAINT pk_stale_installations PRIMARY KEY (installation_id),
    CONSTRAINT fk_stale_installations_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_stale_installations_mark CHECK (mark BETWEEN 0 AND last_mark),
    CONSTRAINT ck_stale_installations_cause
        CHECK (cause IN ('signals', 'roster', 'bots', 'preset'))
);

-- Marks on single boards.
CREATE TABLE stale_boards (
    preset_id bigint NOT NULL,
    scope_type score_scope_type NOT NULL,
    scope_id bigint NOT NULL,
    entity_type score_entity_type NOT NULL,
    time_period score_time_period NOT NULL,
    mark bigint NOT NULL,
    cause text NOT NULL,
    marked_at timestamptz NOT NULL,
    CONSTRAINT pk_stale_boards
        PRIMARY KEY (preset_id, scope_type, scope_id, entity_type, time_period),
    CONSTRAINT fk_stale_boards_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_stale_boards_cause CHECK (cause IN ('signals', 'roster', 'bots', 'preset'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON stale_installations, stale_boards TO laurel_leaderboard;

-- The highest mark whose change a version's inputs held.
ALTER TABLE materialization_inputs ADD COLUMN settled_mark bigint NOT NULL DEFAULT 0;
