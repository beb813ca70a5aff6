-- Ingest: what each revision changed, so that whoever knows an earlier one need not read every
-- signal again.

-- Revisions count from 1 again where an installation was erased and came back: then it is another
-- lineage.
ALTER TABLE installation_signal_states
    ADD COLUMN lineage uuid NOT NULL DEFAULT gen_random_uuid();

-- A revision without a row here changed what nobody noted; who knows an earlier one reads all.
CREATE TABLE signal_changes (
    installation_id bigint NOT NULL,
    revision bigint NOT NULL,
    -- How many signals were written, rewritten or removed.
    signal_count integer NOT NULL,
    -- The new ones are among those with ids between, and times that enclose all that was written.
    first_signal_id bigint,
    last_signal_id bigint,
    first_event_timestamp timestamptz,
    last_event_timestamp timestamptz,
    rewritten_ids bigint[] NOT NULL DEFAULT '{}',
    -- The keys of signals that are no longer the installation's; user 0 for all but commits.
    removed_hashes bytea[] NOT NULL DEFAULT '{}',
    removed_user_ids bigint[] NOT NULL DEFAULT '{}',
    CONSTRAINT pk_signal_changes PRIMARY KEY (installation_id, revision),
    CONSTRAINT fk_signal_changes_state FOREIGN KEY (installation_id)
        REFERENCES installation_signal_states (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_signal_changes_count CHECK (signal_count >= 0),
    CONSTRAINT ck_signal_changes_new CHECK (
        (first_signal_id IS NULL) = (last_signal_id IS NULL) AND first_signal_id <= last_signal_id
    ),
    CONSTRAINT ck_signal_changes_written CHECK (
        (first_event_timestamp IS NULL) = (last_event_timestamp IS NULL)
        AND (first_event_timestamp IS NOT NULL
            OR first_signal_id IS NULL AND cardinality(rewritten_ids) = 0)
    ),
    CONSTRAINT ck_signal_changes_removed
        CHECK (cardinality(removed_hashes) = cardinality(removed_user_ids))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON signal_changes TO laurel_ingest;
