-- Scoring: how far the attempt at a run is.

ALTER TABLE scoring_runs
    ADD COLUMN phase text,
    -- What ingest says there is to read; signal_count is what was read of it.
    ADD COLUMN signals_expected bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_scoring_runs_phase CHECK (
        phase IS NULL OR (state = 'running' AND phase IN ('reading', 'publishing'))
    ),
    ADD CONSTRAINT ck_scoring_runs_signals_expected CHECK (signals_expected >= 0);
