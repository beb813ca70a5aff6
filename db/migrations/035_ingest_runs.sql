-- Ingest: runs over what GitHub has, how far each repository of one is, what is known of each
-- repository from the last, and what GitHub still lets an installation ask.

-- scope: team_id or repository_id where it is not the whole installation. counted columns grow as
-- batches are committed, in their transaction.
CREATE TABLE ingest_runs (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    team_id bigint,
    repository_id bigint,
    state text NOT NULL DEFAULT 'queued',
    preset text NOT NULL DEFAULT 'all_time',
    history_since timestamptz,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    is_planned boolean NOT NULL DEFAULT false,
    attempts integer NOT NULL DEFAULT 0,
    new_count bigint NOT NULL DEFAULT 0,
    changed_count bigint NOT NULL DEFAULT 0,
    duplicate_count bigint NOT NULL DEFAULT 0,
    withdrawn_count bigint NOT NULL DEFAULT 0,
    request_count bigint NOT NULL DEFAULT 0,
    point_count bigint NOT NULL DEFAULT 0,
    waiting_until timestamptz,
    error_reason text,
    CONSTRAINT pk_ingest_runs PRIMARY KEY (id),
    CONSTRAINT fk_ingest_runs_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_runs_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_runs_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_runs_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT ck_ingest_runs_scope CHECK (num_nonnulls(team_id, repository_id) <= 1),
    CONSTRAINT ck_ingest_runs_state
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT ck_ingest_runs_preset CHECK (
        preset IN ('today', 'week', 'month', 'quarter', 'half_year', 'all_time')
    ),
    CONSTRAINT ck_ingest_runs_since CHECK ((preset = 'all_time') = (history_since IS NULL)),
    CONSTRAINT ck_ingest_runs_started CHECK (state <> 'running' OR started_at IS NOT NULL),
    CONSTRAINT ck_ingest_runs_finished CHECK (
        (state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT ck_ingest_runs_planned CHECK (state <> 'succeeded' OR is_planned),
    CONSTRAINT ck_ingest_runs_error CHECK ((state = 'failed') = (error_reason IS NOT NULL)),
    CONSTRAINT ck_ingest_runs_counts CHECK (
        least(
            attempts, new_count, changed_count, duplicate_count, withdrawn_count, request_count,
            point_count
        ) >= 0
    )
);

-- One run per scope at a time.
CREATE UNIQUE INDEX uq_ingest_runs_open_scope
    ON ingest_runs (installation_id, coalesce(team_id, 0), coalesce(repository_id, 0))
    WHERE state IN ('queued', 'running');
CREATE INDEX idx_ingest_runs_installation ON ingest_runs (installation_id, id DESC);
CREATE INDEX idx_ingest_runs_organization ON ingest_runs (organization_id);
CREATE INDEX idx_ingest_runs_team ON ingest_runs (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX idx_ingest_runs_repository ON ingest_runs (repository_id)
    WHERE repository_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_runs TO laurel_ingest;
GRANT USAGE ON SEQUENCE ingest_runs_id_seq TO laurel_ingest;


-- A repeated request is answered with the run that the first one got.
CREATE TABLE ingest_run_requests (
    installation_id bigint NOT NULL,
    request_id text NOT NULL,
    run_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_ingest_run_requests PRIMARY KEY (installation_id, request_id),
    CONSTRAINT fk_ingest_run_requests_run FOREIGN KEY (run_id)
        REFERENCES ingest_runs (id) ON DELETE CASCADE
);

CREATE INDEX idx_ingest_run_requests_run ON ingest_run_requests (run_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_run_requests TO laurel_ingest;


-- A repository of a run. probed: what GitHub showed when the run was planned. progress: where the
-- next page begins, written with what the last one brought. attempts counts those that began; an
-- older one writes nothing any more. trouble: why it was left out, or is retried.
CREATE TABLE ingest_run_repositories (
    id bigserial NOT NULL,
    run_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    full_name text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    probed jsonb,
    progress jsonb,
    attempts integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    trouble text,
    finished_at timestamptz,
    CONSTRAINT pk_ingest_run_repositories PRIMARY KEY (id),
    CONSTRAINT uq_ingest_run_repositories_repository UNIQUE (run_id, repository_id),
    CONSTRAINT fk_ingest_run_repositories_run FOREIGN KEY (run_id)
        REFERENCES ingest_runs (id) ON DELETE CASCADE,
    CONSTRAINT fk_ingest_run_repositories_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT ck_ingest_run_repositories_state
        CHECK (state IN ('waiting', 'reading', 'done', 'unchanged', 'left_out')),
    CONSTRAINT ck_ingest_run_repositories_finished CHECK (
        (state IN ('done', 'unchanged', 'left_out')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT ck_ingest_run_repositories_trouble
        CHECK (state <> 'left_out' OR trouble IS NOT NULL),
    CONSTRAINT ck_ingest_run_repositories_attempts CHECK (attempts >= 0 AND failures >= 0)
);

CREATE INDEX idx_ingest_run_repositories_repository ON ingest_run_repositories (repository_id);
CREATE INDEX idx_ingest_run_repositories_open ON ingest_run_repositories (run_id)
    WHERE state IN ('waiting', 'reading');

GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_run_repositories TO laurel_ingest;
GRANT USAGE ON SEQUENCE ingest_run_repositories_id_seq TO laurel_ingest;


-- What the last complete run saw of a repository: beside repository_sync_state, which the
-- reference defines. head_sha: the default branch's commit up to which everything is known,
-- walked_at: when the walk began that knows it. *_until: the newest update that was read.
-- *_total: GitHub's own counts. gap: why something is missing.
CREATE TABLE repository_histories (
    repository_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    head_sha text,
    walked_at timestamptz,
    pulls_until timestamptz,
    issues_until timestamptz,
    commits_total bigint,
    pulls_total bigint,
    issues_total bigint,
    gap text,
    checked_at timestamptz NOT NULL,
    CONSTRAINT pk_repository_histories PRIMARY KEY (repository_id),
    CONSTRAINT fk_repository_histories_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT fk_repository_histories_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_repository_histories_walked CHECK ((head_sha IS NULL) = (walked_at IS NULL)),
    CONSTRAINT ck_repository_histories_totals
        CHECK (least(commits_total, pulls_total, issues_total) >= 0)
);

CREATE INDEX idx_repository_histories_installation ON repository_histories (installation_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON repository_histories TO laurel_ingest;


-- What GitHub lets an installation ask, as any replica heard last.
CREATE TABLE github_budgets (
    installation_id bigint NOT NULL,
    point_limit integer,
    remaining integer,
    reset_at timestamptz,
    blocked_until timestamptz,
    CONSTRAINT pk_github_budgets PRIMARY KEY (installation_id),
    CONSTRAINT fk_github_budgets_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_github_budgets_counts CHECK (least(point_limit, remaining) >= 0)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON github_budgets TO laurel_ingest;


-- The commits that a push or a clone told of and no walk has met: looked at when one ends.
CREATE INDEX idx_repository_facts_unwalked_commits ON repository_facts (repository_id)
    WHERE kind = 'commit' AND NOT body ? 'walked';
