-- The rows of a version. A version ranks one kind of entity, so within it the one entity key that
-- is set names the row.

CREATE TABLE computed_scores (
    id bigserial NOT NULL,
    materialization_id bigint NOT NULL,
    entity_type score_entity_type NOT NULL,
    user_id bigint,
    scored_team_id bigint,
    scored_repo_id bigint,
    time_period score_time_period NOT NULL,
    score numeric(12, 4) NOT NULL DEFAULT 0,
    breakdown jsonb NOT NULL,
    counts jsonb NOT NULL,
    additions integer NOT NULL DEFAULT 0,
    deletions integer NOT NULL DEFAULT 0,
    rank integer NOT NULL,
    member_count integer,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT pk_computed_scores PRIMARY KEY (id),
    CONSTRAINT fk_computed_scores_materialization FOREIGN KEY (materialization_id)
        REFERENCES leaderboard_materializations (id) ON DELETE CASCADE,
    CONSTRAINT fk_computed_scores_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE NO ACTION,
    CONSTRAINT fk_computed_scores_team FOREIGN KEY (scored_team_id)
        REFERENCES teams (id) ON DELETE NO ACTION,
    CONSTRAINT fk_computed_scores_repository FOREIGN KEY (scored_repo_id)
        REFERENCES repositories (id) ON DELETE NO ACTION,
    CONSTRAINT valid_score_entity CHECK (
        (entity_type = 'contributor'
            AND user_id IS NOT NULL AND scored_team_id IS NULL AND scored_repo_id IS NULL)
        OR (entity_type = 'team'
            AND user_id IS NULL AND scored_team_id IS NOT NULL AND scored_repo_id IS NULL)
        OR (entity_type = 'repository'
            AND user_id IS NULL AND scored_team_id IS NULL AND scored_repo_id IS NOT NULL)
    ),
    CONSTRAINT ck_computed_scores_counts
        CHECK (rank >= 1 AND version >= 1 AND additions >= 0 AND deletions >= 0),
    CONSTRAINT ck_computed_scores_member_count CHECK (member_count >= 0)
);

-- One row per entity, and the way to it.
CREATE UNIQUE INDEX uq_computed_scores_entity ON computed_scores
    (materialization_id, (COALESCE(user_id, scored_team_id, scored_repo_id)));
-- Pages, by keyset in the one total order of a board.
CREATE INDEX idx_computed_scores_page ON computed_scores
    (materialization_id, score DESC, (COALESCE(user_id, scored_team_id, scored_repo_id)));
CREATE INDEX idx_computed_scores_team ON computed_scores (scored_team_id)
    WHERE scored_team_id IS NOT NULL;
CREATE INDEX idx_computed_scores_repository ON computed_scores (scored_repo_id)
    WHERE scored_repo_id IS NOT NULL;
