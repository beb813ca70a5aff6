-- Scoring: its runs, and the schema in which the job queue keeps its own tables.

CREATE TABLE scoring_runs (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'queued',
    requested_by text NOT NULL,
    reason text NOT NULL,
    as_of timestamptz,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    boards_total integer NOT NULL DEFAULT 0,
    boards_published integer NOT NULL DEFAULT 0,
    signal_count bigint NOT NULL DEFAULT 0,
    error_reason text,
    CONSTRAINT pk_scoring_runs PRIMARY KEY (id),
    CONSTRAINT fk_scoring_runs_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_runs_state
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    CONSTRAINT ck_scoring_runs_started CHECK (state <> 'running' OR started_at IS NOT NULL),
    CONSTRAINT ck_scoring_runs_finished CHECK (
        (state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)
    ),
    CONSTRAINT ck_scoring_runs_error CHECK ((state = 'failed') = (error_reason IS NOT NULL)),
    CONSTRAINT ck_scoring_runs_counts
        CHECK (boards_total >= 0 AND boards_published >= 0 AND signal_count >= 0)
);

CREATE INDEX idx_scoring_runs_installation ON scoring_runs (installation_id, id DESC);
CREATE INDEX idx_scoring_runs_open ON scoring_runs (installation_id)
    WHERE state IN ('queued', 'running');

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_runs TO laurel_scoring;
GRANT USAGE ON SEQUENCE scoring_runs_id_seq TO laurel_scoring;


CREATE SCHEMA scoring_jobs;
GRANT USAGE ON SCHEMA scoring_jobs TO laurel_scoring;
