-- Ingest: deliveries that GitHub could not make and keeps no more. They stand in the inbox as lost,
-- without a body; one that comes after all is worked on like any other.

ALTER TABLE webhook_deliveries
    DROP CONSTRAINT ck_webhook_deliveries_state,
    ADD CONSTRAINT ck_webhook_deliveries_state
        CHECK (state IN ('waiting', 'done', 'ignored', 'parked', 'lost')),
    DROP CONSTRAINT ck_webhook_deliveries_body,
    ADD CONSTRAINT ck_webhook_deliveries_body
        CHECK (body IS NOT NULL OR state IN ('done', 'ignored', 'lost'));

CREATE INDEX idx_webhook_deliveries_lost ON webhook_deliveries (id) WHERE state = 'lost';
