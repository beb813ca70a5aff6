-- Scoring: when the boards of each period have to be looked at again, whatever happens: windows
-- slide, and what was right an hour ago is not.

CREATE TABLE scoring_checks (
    installation_id bigint NOT NULL,
    time_period score_time_period NOT NULL,
    -- The end of the window that was computed last.
    as_of timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_scoring_checks PRIMARY KEY (installation_id, time_period),
    CONSTRAINT fk_scoring_checks_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_checks_due CHECK (due_at > as_of)
);

CREATE INDEX idx_scoring_checks_due ON scoring_checks (due_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_checks TO laurel_scoring;

-- A scheduled run computes what is due, which may be a part of the periods.
ALTER TABLE scoring_runs ADD COLUMN all_periods boolean NOT NULL DEFAULT true;

DROP INDEX idx_scoring_runs_preset;
CREATE INDEX idx_scoring_runs_preset ON scoring_runs (preset_id, id DESC)
    WHERE state = 'succeeded' AND all_periods;
CREATE INDEX idx_scoring_runs_finished ON scoring_runs (finished_at) WHERE finished_at IS NOT NULL;

-- What was scored before there was a schedule is due.
INSERT INTO scoring_checks (installation_id, time_period, as_of, due_at)
SELECT scored.installation_id, period, scored.as_of, scored.as_of + interval '1 minute'
FROM (
    SELECT installation_id, max(as_of) AS as_of FROM scoring_runs
    WHERE state = 'succeeded' GROUP BY installation_id
) AS scored
CROSS JOIN unnest(enum_range(NULL::score_time_period)) AS period;
