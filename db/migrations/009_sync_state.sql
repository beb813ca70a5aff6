-- What ingest remembers of its own work: the last success per scope, and per repository what
-- spares the next round its requests.

CREATE TABLE ingest_log (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    team_id bigint,
    repository_id bigint,
    last_successful_ingest_at timestamptz NOT NULL DEFAULT 'epoch'::timestamptz,
    ingest_preset text NOT NULL DEFAULT 'all_time',
    repo_count integer NOT NULL DEFAULT 0,
    signal_count integer NOT NULL DEFAULT 0,
    CONSTRAINT pk_ingest_log PRIMARY KEY (id),
    CONSTRAINT fk_ingest_log_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_log_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    -- SET NULL would turn a team's entry into the organization's.
    CONSTRAINT fk_ingest_log_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_log_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT ck_ingest_log_scope CHECK (num_nonnulls(team_id, repository_id) <= 1),
    CONSTRAINT ck_ingest_log_counts CHECK (repo_count >= 0 AND signal_count >= 0)
);

-- A unique index over nullable columns would hold nothing: one per kind of scope does.
CREATE UNIQUE INDEX uq_ingest_log_organization_scope
    ON ingest_log (installation_id, organization_id)
    WHERE team_id IS NULL AND repository_id IS NULL;
CREATE UNIQUE INDEX uq_ingest_log_team_scope
    ON ingest_log (installation_id, organization_id, team_id)
    WHERE team_id IS NOT NULL AND repository_id IS NULL;
CREATE UNIQUE INDEX uq_ingest_log_repository_scope
    ON ingest_log (installation_id, organization_id, repository_id)
    WHERE repository_id IS NOT NULL AND team_id IS NULL;

CREATE INDEX idx_ingest_log_installation ON ingest_log (installation_id);
CREATE INDEX idx_ingest_log_organization ON ingest_log (organization_id);
CREATE INDEX idx_ingest_log_team ON ingest_log (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX idx_ingest_log_repository ON ingest_log (repository_id)
    WHERE repository_id IS NOT NULL;


CREATE TABLE repository_sync_state (
    id bigserial NOT NULL,
    repository_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    repo_updated_at timestamptz,
    commits_etag text,
    pulls_etag text,
    issues_etag text,
    comments_etag text,
    reviews_etag text,
    pr_ids_hash text,
    last_fetched_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_repository_sync_state PRIMARY KEY (id),
    CONSTRAINT uq_repository_sync_state_repository UNIQUE (repository_id),
    CONSTRAINT fk_repository_sync_state_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT fk_repository_sync_state_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE
);

CREATE INDEX idx_repository_sync_state_organization ON repository_sync_state (organization_id);
