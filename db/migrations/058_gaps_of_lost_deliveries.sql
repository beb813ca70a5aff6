-- Ingest: of whom webhooks are that GitHub can't deliver, so that one that is lost is a gap of
-- coverage. Both are null where GitHub names none.

ALTER TABLE webhook_redeliveries
    ADD COLUMN installation_id bigint,
    ADD COLUMN repository_id bigint;

ALTER TABLE coverage_gaps
    DROP CONSTRAINT ck_coverage_gaps_reason,
    ADD CONSTRAINT ck_coverage_gaps_reason CHECK (
        reason IN (
            'push_truncated', 'push_without_commits', 'pull_request_without_author',
            'history_rewritten', 'delivery_lost'
        )
    );
