-- Leaderboard: what a version was computed from, so that it can be explained and compared.

CREATE TABLE materialization_inputs (
    materialization_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    rules jsonb NOT NULL,
    input_mark text NOT NULL,
    last_checked_at timestamptz NOT NULL,
    CONSTRAINT pk_materialization_inputs PRIMARY KEY (materialization_id),
    CONSTRAINT fk_materialization_inputs_materialization FOREIGN KEY (materialization_id)
        REFERENCES leaderboard_materializations (id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON materialization_inputs TO laurel_leaderboard;
