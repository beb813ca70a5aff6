-- Scoring: what a run was asked for and made of, and when presets were made and changed.

ALTER TABLE scoring_runs
    -- The preset that it scored by, and the mark of the inputs that it read; both once they are
    -- known.
    ADD COLUMN preset_id bigint
        CONSTRAINT fk_scoring_runs_preset REFERENCES scoring_presets (id) ON DELETE SET NULL,
    ADD COLUMN input_mark text,
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    -- Why the last attempt ended, while there will be another.
    ADD COLUMN retry_reason text,
    ADD CONSTRAINT ck_scoring_runs_attempts CHECK (attempts >= 0),
    ADD CONSTRAINT ck_scoring_runs_retry CHECK (retry_reason IS NULL OR state = 'running'),
    ADD CONSTRAINT ck_scoring_runs_made CHECK (
        state <> 'succeeded' OR (as_of IS NOT NULL AND input_mark IS NOT NULL)
    );

-- What is asked for while a run waits is that run.
CREATE UNIQUE INDEX uq_scoring_runs_queued ON scoring_runs (installation_id)
    WHERE state = 'queued';
CREATE INDEX idx_scoring_runs_preset ON scoring_runs (preset_id, id DESC)
    WHERE state = 'succeeded';


-- A repeated request is answered with the run that the first one got.
CREATE TABLE scoring_run_requests (
    installation_id bigint NOT NULL,
    request_id text NOT NULL,
    run_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_scoring_run_requests PRIMARY KEY (installation_id, request_id),
    CONSTRAINT fk_scoring_run_requests_run FOREIGN KEY (run_id)
        REFERENCES scoring_runs (id) ON DELETE CASCADE
);

CREATE INDEX idx_scoring_run_requests_run ON scoring_run_requests (run_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_run_requests TO laurel_scoring;


-- The reference's presets know no times; a revision is what an update has to name.
CREATE TABLE scoring_preset_revisions (
    preset_id bigint NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_scoring_preset_revisions PRIMARY KEY (preset_id),
    CONSTRAINT fk_scoring_preset_revisions_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_revisions_revision CHECK (revision >= 1)
);

CREATE TRIGGER trg_scoring_preset_revisions_updated_at
    BEFORE UPDATE ON scoring_preset_revisions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_preset_revisions TO laurel_scoring;
