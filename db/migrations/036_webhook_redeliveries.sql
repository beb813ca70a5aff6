-- Ingest: webhooks that GitHub could not deliver, and when it was asked to try again.

-- attempt_id: GitHub's number of the last attempt that failed. The row goes when the delivery has
-- come, or when GitHub keeps it no more.
CREATE TABLE webhook_redeliveries (
    delivery_id text NOT NULL,
    attempt_id bigint NOT NULL,
    event text NOT NULL,
    failed_at timestamptz NOT NULL,
    asked_count integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    CONSTRAINT pk_webhook_redeliveries PRIMARY KEY (delivery_id),
    CONSTRAINT ck_webhook_redeliveries_delivery
        CHECK (octet_length(delivery_id) BETWEEN 1 AND 128),
    CONSTRAINT ck_webhook_redeliveries_event CHECK (octet_length(event) BETWEEN 1 AND 128),
    CONSTRAINT ck_webhook_redeliveries_asked
        CHECK (asked_count >= 0 AND (asked_count = 0) = (asked_at IS NULL))
);

CREATE INDEX idx_webhook_redeliveries_failed ON webhook_redeliveries (failed_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_redeliveries TO laurel_ingest;


-- Up to when GitHub's list of failed deliveries was read to its end; one row at most.
CREATE TABLE webhook_failure_readings (
    id smallint NOT NULL,
    read_until timestamptz NOT NULL,
    CONSTRAINT pk_webhook_failure_readings PRIMARY KEY (id),
    CONSTRAINT ck_webhook_failure_readings_one CHECK (id = 1)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_failure_readings TO laurel_ingest;
