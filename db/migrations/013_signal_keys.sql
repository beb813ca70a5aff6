-- Ingest: one event is one signal, whatever source tells of it and however many tell at once.

-- content_hash is the digest's 32 bytes; user_id is 0 for types that credit one person, because
-- sources may disagree about who that is. (signal_id, event_timestamp) is the signal's row and
-- names its partition. standing is that of the source that wrote it: 1 least, 2 middle, 3 best.
-- No foreign keys: the signal, written in the same transaction, carries them, and each would cost
-- a bulk write another lookup per row.
CREATE TABLE signal_keys (
    content_hash bytea NOT NULL,
    user_id bigint NOT NULL DEFAULT 0,
    installation_id bigint NOT NULL,
    signal_id bigint NOT NULL,
    event_timestamp timestamptz NOT NULL,
    standing smallint NOT NULL,
    CONSTRAINT pk_signal_keys PRIMARY KEY (content_hash, user_id),
    CONSTRAINT ck_signal_keys_content_hash CHECK (octet_length(content_hash) = 32),
    CONSTRAINT ck_signal_keys_standing CHECK (standing BETWEEN 1 AND 3)
) WITH (fillfactor = 90);

GRANT SELECT, INSERT, UPDATE, DELETE ON signal_keys TO laurel_ingest;


-- Signals go with their installation by cascade; so do their keys, or what was erased could not
-- be ingested again. It runs for identity, which has no rights here.
CREATE FUNCTION forget_installation_signal_keys() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.signal_keys WHERE installation_id IN (SELECT installation_id FROM erased);
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION forget_installation_signal_keys() FROM PUBLIC;

CREATE TRIGGER trg_github_installations_forget_signal_keys
    AFTER DELETE ON github_installations
    REFERENCING OLD TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION forget_installation_signal_keys();


-- What was taken back, when, why, and on whose word.
CREATE TABLE signal_withdrawals (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    user_id bigint NOT NULL,
    type signal_type NOT NULL,
    value numeric(10, 4) NOT NULL,
    event_timestamp timestamptz NOT NULL,
    content_hash char(64) NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}'::jsonb,
    standing smallint NOT NULL,
    reason text NOT NULL,
    withdrawn_by text,
    withdrawn_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_signal_withdrawals PRIMARY KEY (id),
    CONSTRAINT fk_signal_withdrawals_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_signal_withdrawals_standing CHECK (standing BETWEEN 1 AND 3),
    CONSTRAINT ck_signal_withdrawals_reason CHECK (reason <> '')
);

CREATE INDEX idx_signal_withdrawals_installation
    ON signal_withdrawals (installation_id, withdrawn_at DESC, id DESC);
CREATE INDEX idx_signal_withdrawals_content_hash ON signal_withdrawals (content_hash);

GRANT SELECT, INSERT, UPDATE, DELETE ON signal_withdrawals TO laurel_ingest;
GRANT USAGE ON SEQUENCE signal_withdrawals_id_seq TO laurel_ingest;
