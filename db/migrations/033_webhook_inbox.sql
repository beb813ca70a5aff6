-- Ingest: webhooks as they came in, and whose boards have to follow what changed.

-- Stored before it is acknowledged. subject_id is what a worker takes together: the installation
-- that the payload names, else the negative of the account that owns the repository, else 0. No
-- foreign key: a delivery may come before the installation that it is about is known. The body
-- goes after a while, the row stays longer, so that a delivery which comes again is known.
CREATE TABLE webhook_deliveries (
    id bigserial NOT NULL,
    delivery_id text NOT NULL,
    event text NOT NULL,
    action text,
    installation_id bigint,
    subject_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    received_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    finished_at timestamptz,
    last_error text,
    left_out jsonb NOT NULL DEFAULT '{}'::jsonb,
    body bytea,
    body_bytes integer NOT NULL,
    CONSTRAINT pk_webhook_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_webhook_deliveries_delivery UNIQUE (delivery_id),
    CONSTRAINT ck_webhook_deliveries_delivery
        CHECK (octet_length(delivery_id) BETWEEN 1 AND 128),
    CONSTRAINT ck_webhook_deliveries_event CHECK (octet_length(event) BETWEEN 1 AND 128),
    CONSTRAINT ck_webhook_deliveries_action CHECK (octet_length(action) <= 128),
    CONSTRAINT ck_webhook_deliveries_state
        CHECK (state IN ('waiting', 'done', 'ignored', 'parked')),
    CONSTRAINT ck_webhook_deliveries_finished
        CHECK ((state = 'waiting') = (finished_at IS NULL)),
    CONSTRAINT ck_webhook_deliveries_body
        CHECK (body IS NOT NULL OR state IN ('done', 'ignored')),
    CONSTRAINT ck_webhook_deliveries_counts CHECK (attempts >= 0 AND body_bytes >= 0)
) WITH (fillfactor = 80);

CREATE INDEX idx_webhook_deliveries_waiting ON webhook_deliveries (subject_id, id)
    WHERE state = 'waiting';
CREATE INDEX idx_webhook_deliveries_parked ON webhook_deliveries (id) WHERE state = 'parked';
CREATE INDEX idx_webhook_deliveries_installation ON webhook_deliveries (installation_id, id);
CREATE INDEX idx_webhook_deliveries_bodies ON webhook_deliveries (finished_at)
    WHERE body IS NOT NULL AND state = 'done';
CREATE INDEX idx_webhook_deliveries_received ON webhook_deliveries (received_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO laurel_ingest;
GRANT USAGE ON SEQUENCE webhook_deliveries_id_seq TO laurel_ingest;


-- What came in for an installation goes with it, addresses in its bodies included. It runs for
-- identity, which has no rights here.
CREATE FUNCTION forget_installation_deliveries() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.webhook_deliveries
    WHERE installation_id IN (SELECT installation_id FROM erased);
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION forget_installation_deliveries() FROM PUBLIC;

CREATE TRIGGER trg_github_installations_forget_deliveries
    AFTER DELETE ON github_installations
    REFERENCING OLD TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION forget_installation_deliveries();


-- Installations whose signals or bot list changed and whom scoring has not been told of yet. The
-- row is written with the change; it goes when scoring has answered, unless another change came.
CREATE TABLE scoring_notices (
    installation_id bigint NOT NULL,
    changes bigint NOT NULL DEFAULT 1,
    CONSTRAINT pk_scoring_notices PRIMARY KEY (installation_id),
    CONSTRAINT fk_scoring_notices_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON scoring_notices TO laurel_ingest;
