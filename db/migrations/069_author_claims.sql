-- Ingest: whom a synthetic author is by an operator's word, whatever sources say, and how far the
-- author's signals have followed.

-- is_released: the word was taken back; sources have their say again. What credits the author is
-- brought up in the order of the facts' keys, and the last one done is remembered.
CREATE TABLE author_claims (
    synthetic_id bigint NOT NULL,
    user_id bigint NOT NULL,
    is_released boolean NOT NULL DEFAULT false,
    after_repository_id bigint,
    after_kind text,
    after_key text,
    moved_count bigint NOT NULL DEFAULT 0,
    begun_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_author_claims PRIMARY KEY (synthetic_id),
    CONSTRAINT fk_author_claims_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_author_claims_synthetic CHECK (synthetic_id < -4611686018427387904),
    CONSTRAINT ck_author_claims_user CHECK (user_id > 0),
    CONSTRAINT ck_author_claims_after
        CHECK (num_nonnulls(after_repository_id, after_kind, after_key) IN (0, 3)),
    CONSTRAINT ck_author_claims_moved CHECK (moved_count >= 0)
);

CREATE INDEX idx_author_claims_user ON author_claims (user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON author_claims TO laurel_ingest;


-- Signals that no fact stands behind, written by backends: which of them went along, so that just
-- these come back.
CREATE TABLE claimed_signals (
    synthetic_id bigint NOT NULL,
    content_hash bytea NOT NULL,
    CONSTRAINT pk_claimed_signals PRIMARY KEY (synthetic_id, content_hash),
    CONSTRAINT fk_claimed_signals_claim FOREIGN KEY (synthetic_id)
        REFERENCES author_claims (synthetic_id) ON DELETE CASCADE,
    CONSTRAINT ck_claimed_signals_content_hash CHECK (octet_length(content_hash) = 32)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON claimed_signals TO laurel_ingest;
