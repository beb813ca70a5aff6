-- Ingest: runs over one repository whose default branch somebody has forced another history onto.
-- They go before all others, in a lane of their own.

ALTER TABLE ingest_runs
    ADD COLUMN is_urgent boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT ck_ingest_runs_urgent
        CHECK (NOT is_urgent OR (is_reconciling AND repository_id IS NOT NULL));

CREATE INDEX idx_ingest_runs_urgent ON ingest_runs (repository_id, id) WHERE is_urgent;

CREATE INDEX idx_coverage_gaps_rewritten ON coverage_gaps (repository_id)
    WHERE reason = 'history_rewritten';
