-- Leaderboard: how each board stood at the end of each UTC day.

-- A board by number, so that a day's rows need not repeat what names it.
CREATE TABLE leaderboard_boards (
    id bigserial NOT NULL,
    preset_id bigint NOT NULL,
    scope_type score_scope_type NOT NULL,
    organization_id bigint NOT NULL,
    team_id bigint,
    repository_id bigint,
    entity_type score_entity_type NOT NULL,
    time_period score_time_period NOT NULL,
    CONSTRAINT pk_leaderboard_boards PRIMARY KEY (id),
    CONSTRAINT fk_leaderboard_boards_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT fk_leaderboard_boards_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT fk_leaderboard_boards_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE NO ACTION,
    CONSTRAINT fk_leaderboard_boards_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE NO ACTION,
    CONSTRAINT ck_leaderboard_boards_scope CHECK (
        (scope_type = 'organization' AND team_id IS NULL AND repository_id IS NULL)
        OR (scope_type = 'team' AND team_id IS NOT NULL AND repository_id IS NULL)
        OR (scope_type = 'repository' AND team_id IS NULL AND repository_id IS NOT NULL)
    )
);

CREATE UNIQUE INDEX uq_leaderboard_boards_organization
    ON leaderboard_boards (preset_id, organization_id, entity_type, time_period)
    WHERE scope_type = 'organization';
CREATE UNIQUE INDEX uq_leaderboard_boards_team
    ON leaderboard_boards (preset_id, team_id, entity_type, time_period)
    WHERE scope_type = 'team';
CREATE UNIQUE INDEX uq_leaderboard_boards_repository
    ON leaderboard_boards (preset_id, repository_id, entity_type, time_period)
    WHERE scope_type = 'repository';

CREATE INDEX idx_leaderboard_boards_preset ON leaderboard_boards (preset_id);
CREATE INDEX idx_leaderboard_boards_organization ON leaderboard_boards (organization_id);
CREATE INDEX idx_leaderboard_boards_team ON leaderboard_boards (team_id)
    WHERE team_id IS NOT NULL;
CREATE INDEX idx_leaderboard_boards_repository ON leaderboard_boards (repository_id)
    WHERE repository_id IS NOT NULL;


CREATE TABLE leaderboard_history (
    board_id bigint NOT NULL,
    day date NOT NULL,
    entity_id bigint NOT NULL,
    score numeric(12, 4) NOT NULL,
    rank integer NOT NULL,
    CONSTRAINT pk_leaderboard_history PRIMARY KEY (board_id, day, entity_id),
    CONSTRAINT fk_leaderboard_history_board FOREIGN KEY (board_id)
        REFERENCES leaderboard_boards (id) ON DELETE CASCADE,
    CONSTRAINT ck_leaderboard_history_rank CHECK (rank >= 1)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON leaderboard_boards, leaderboard_history
TO laurel_leaderboard;
GRANT USAGE ON SEQUENCE leaderboard_boards_id_seq TO laurel_leaderboard;
