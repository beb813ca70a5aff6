-- Scoring: who changed which preset, when, from what to what; and which preset a request made.

-- Rows are added and never changed. A preset that is gone keeps its history, so nothing here
-- refers to it.
CREATE TABLE scoring_preset_changes (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    preset_id bigint NOT NULL,
    preset_name text NOT NULL,
    action text NOT NULL,
    -- Who: the kind of caller, and the key's name or the user's login.
    actor_kind text NOT NULL,
    actor_name text NOT NULL,
    changed_at timestamptz NOT NULL,
    -- Name and rules; of an activation, the active preset's id.
    before jsonb,
    after jsonb,
    CONSTRAINT pk_scoring_preset_changes PRIMARY KEY (id),
    CONSTRAINT fk_scoring_preset_changes_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_changes_action
        CHECK (action IN ('created', 'updated', 'deleted', 'activated')),
    CONSTRAINT ck_scoring_preset_changes_sides CHECK (
        (action = 'created' OR before IS NOT NULL) AND (action = 'deleted' OR after IS NOT NULL)
    )
);

CREATE INDEX idx_scoring_preset_changes_installation
    ON scoring_preset_changes (installation_id, id DESC);

GRANT SELECT, INSERT ON scoring_preset_changes TO laurel_scoring;
GRANT USAGE ON SEQUENCE scoring_preset_changes_id_seq TO laurel_scoring;


-- A repeated request is answered with the preset that the first one made.
CREATE TABLE scoring_preset_requests (
    installation_id bigint NOT NULL,
    request_id text NOT NULL,
    preset_id bigint NOT NULL,
    -- SHA-256 of what was asked for: a request_id stands for one request.
    fingerprint bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_scoring_preset_requests PRIMARY KEY (installation_id, request_id),
    CONSTRAINT fk_scoring_preset_requests_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_requests_fingerprint CHECK (octet_length(fingerprint) = 32)
);

CREATE INDEX idx_scoring_preset_requests_preset ON scoring_preset_requests (preset_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_preset_requests TO laurel_scoring;
