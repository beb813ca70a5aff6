-- Ingest: repositories that a day's run looks through whole, in turns, since nothing that is cheap to
-- ask shows that a comment was deleted or minimized.

-- When a repository last had its turn.
ALTER TABLE repository_histories ADD COLUMN looked_through_at timestamptz;
ALTER TABLE ingest_run_repositories
    ADD COLUMN is_looked_through boolean NOT NULL DEFAULT false;

-- What was shown of a repository while it is looked through; sighted_at is when that began (epoch
-- seconds). Emptied when it ends; what one that came to no end has left, the next one writes over.
CREATE TABLE sighted_things (
    repository_id bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    sighted_at bigint NOT NULL,
    CONSTRAINT pk_sighted_things PRIMARY KEY (repository_id, kind, key),
    CONSTRAINT fk_sighted_things_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON sighted_things TO laurel_ingest;
