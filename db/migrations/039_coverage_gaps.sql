-- Ingest: what sources told of and did not show, and what was known of each repository when a run
-- last read it whole.

-- last_at: when the newest such event happened. What a complete run read after it is no gap.
CREATE TABLE coverage_gaps (
    repository_id bigint NOT NULL,
    reason text NOT NULL,
    last_at timestamptz NOT NULL,
    CONSTRAINT pk_coverage_gaps PRIMARY KEY (repository_id, reason),
    CONSTRAINT fk_coverage_gaps_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT ck_coverage_gaps_reason CHECK (
        reason IN (
            'push_truncated', 'push_without_commits', 'pull_request_without_author',
            'history_rewritten'
        )
    )
);

GRANT SELECT, INSERT, UPDATE, DELETE ON coverage_gaps TO laurel_ingest;

-- As of checked_at, beside GitHub's own counts.
ALTER TABLE repository_histories
    ADD COLUMN commits_known bigint,
    ADD COLUMN pulls_known bigint,
    ADD COLUMN issues_known bigint,
    ADD CONSTRAINT ck_repository_histories_known
        CHECK (least(commits_known, pulls_known, issues_known) >= 0);
