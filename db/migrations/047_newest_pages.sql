-- Ingest: the ETags of repository_sync_state are good for as long as the token lives that GitHub gave
-- them to.

-- Which token that was (its hash, never itself), and when.
ALTER TABLE repository_histories
    ADD COLUMN etags_given_to text,
    ADD COLUMN etags_at timestamptz,
    ADD CONSTRAINT ck_repository_histories_etags
        CHECK (num_nonnulls(etags_given_to, etags_at) <> 1);

-- A repository whose newest pages are asked for over REST before it is read; and one in which nothing
-- else has changed, so that it is read only if they have.
ALTER TABLE ingest_run_repositories
    ADD COLUMN is_watched boolean NOT NULL DEFAULT false,
    ADD COLUMN is_only_watched boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT ck_ingest_run_repositories_watched CHECK (is_watched OR NOT is_only_watched);
