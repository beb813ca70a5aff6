-- One row per published version of a board, immutable but for its retention.

CREATE TABLE leaderboard_materializations (
    id bigserial NOT NULL,
    preset_id bigint NOT NULL,
    scope_type score_scope_type NOT NULL,
    organization_id bigint NOT NULL,
    team_id bigint,
    repository_id bigint,
    entity_type score_entity_type NOT NULL,
    time_period score_time_period NOT NULL,
    version integer NOT NULL DEFAULT 1,
    row_count integer NOT NULL DEFAULT 0,
    signal_count integer NOT NULL DEFAULT 0,
    retention_state text NOT NULL,
    superseded_at timestamptz,
    retention_expires_at timestamptz,
    redis_cache_key text,
    computed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_leaderboard_materializations PRIMARY KEY (id),
    CONSTRAINT fk_leaderboard_materializations_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT fk_leaderboard_materializations_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    -- Boards are forgotten by their owner before a team or a repository goes; a deletion that
    -- skipped that step must not take published versions with it.
    CONSTRAINT fk_leaderboard_materializations_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE NO ACTION,
    CONSTRAINT fk_leaderboard_materializations_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE NO ACTION,
    CONSTRAINT ck_leaderboard_materializations_scope CHECK (
        (scope_type = 'organization' AND team_id IS NULL AND repository_id IS NULL)
        OR (scope_type = 'team' AND team_id IS NOT NULL AND repository_id IS NULL)
        OR (scope_type = 'repository' AND team_id IS NULL AND repository_id IS NOT NULL)
    ),
    CONSTRAINT ck_leaderboard_materializations_counts
        CHECK (version >= 1 AND row_count >= 0 AND signal_count >= 0),
    CONSTRAINT ck_leaderboard_materializations_retention_state
        CHECK (retention_state IN ('current', 'superseded', 'expired', 'purged')),
    CONSTRAINT ck_leaderboard_materializations_current CHECK (
        retention_state <> 'current'
        OR (superseded_at IS NULL AND retention_expires_at IS NULL)
    ),
    CONSTRAINT ck_leaderboard_materializations_retired CHECK (
        retention_state = 'current'
        OR (
            superseded_at IS NOT NULL
            AND retention_expires_at IS NOT NULL
            AND retention_expires_at >= superseded_at
        )
    ),
    CONSTRAINT ck_leaderboard_materializations_purged
        CHECK (retention_state <> 'purged' OR redis_cache_key IS NULL)
);

-- One current version per board, whatever the scope.
CREATE UNIQUE INDEX uq_leaderboard_materializations_organization_current
    ON leaderboard_materializations (preset_id, organization_id, entity_type, time_period)
    WHERE scope_type = 'organization' AND retention_state = 'current';
CREATE UNIQUE INDEX uq_leaderboard_materializations_team_current
    ON leaderboard_materializations (preset_id, team_id, entity_type, time_period)
    WHERE scope_type = 'team' AND retention_state = 'current';
CREATE UNIQUE INDEX uq_leaderboard_materializations_repository_current
    ON leaderboard_materializations (preset_id, repository_id, entity_type, time_period)
    WHERE scope_type = 'repository' AND retention_state = 'current';

-- A version number is used once per board.
CREATE UNIQUE INDEX uq_leaderboard_materializations_organization_version
    ON leaderboard_materializations
        (preset_id, organization_id, entity_type, time_period, version)
    WHERE scope_type = 'organization';
CREATE UNIQUE INDEX uq_leaderboard_materializations_team_version
    ON leaderboard_materializations (preset_id, team_id, entity_type, time_period, version)
    WHERE scope_type = 'team';
CREATE UNIQUE INDEX uq_leaderboard_materializations_repository_version
    ON leaderboard_materializations (preset_id, repository_id, entity_type, time_period, version)
    WHERE scope_type = 'repository';

CREATE INDEX idx_leaderboard_materializations_retention
    ON leaderboard_materializations (retention_expires_at)
    WHERE retention_state IN ('superseded', 'expired');
CREATE INDEX idx_leaderboard_materializations_preset ON leaderboard_materializations (preset_id);
CREATE INDEX idx_leaderboard_materializations_organization
    ON leaderboard_materializations (organization_id);
CREATE INDEX idx_leaderboard_materializations_team ON leaderboard_materializations (team_id)
    WHERE team_id IS NOT NULL;
CREATE INDEX idx_leaderboard_materializations_repository
    ON leaderboard_materializations (repository_id) WHERE repository_id IS NOT NULL;
