-- Identity: whom operators say that synthetic people are. The rows are the audit log of it, and what
-- ingest still has to be told: one after the other for each of these people.

-- No foreign keys: the log outlives whom it names.
CREATE TABLE identity_claims (
    id bigserial NOT NULL,
    synthetic_user_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_release boolean NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL,
    moved_count bigint NOT NULL DEFAULT 0,
    last_error text,
    finished_at timestamptz,
    CONSTRAINT pk_identity_claims PRIMARY KEY (id),
    CONSTRAINT ck_identity_claims_synthetic CHECK (synthetic_user_id < -4611686018427387904),
    CONSTRAINT ck_identity_claims_user CHECK (user_id > 0),
    CONSTRAINT ck_identity_claims_moved CHECK (moved_count >= 0)
);

CREATE INDEX idx_identity_claims_synthetic ON identity_claims (synthetic_user_id, id);
CREATE INDEX idx_identity_claims_open ON identity_claims (id) WHERE finished_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON identity_claims TO laurel_identity;
GRANT USAGE ON SEQUENCE identity_claims_id_seq TO laurel_identity;
