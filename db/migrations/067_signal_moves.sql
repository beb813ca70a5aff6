-- Ingest: signals that move to another installation, because the App was installed again or a
-- repository was transferred.

-- An installation's signals are read along with those of whatever is moving into it, so a move can
-- take its time. What still comes in for the one that they are moved from is written to the other;
-- the row stays for that. No foreign key on the former: it is erased when everything has moved.
CREATE TABLE signal_moves (
    from_installation_id bigint NOT NULL,
    -- 0 where all of the installation moves.
    repository_id bigint NOT NULL DEFAULT 0,
    into_installation_id bigint NOT NULL,
    -- Times that enclose everything that moves; null where there is nothing.
    first_event_timestamp timestamptz,
    last_event_timestamp timestamptz,
    begun_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_signal_moves PRIMARY KEY (from_installation_id, repository_id),
    CONSTRAINT fk_signal_moves_into_installation FOREIGN KEY (into_installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_signal_moves_distinct CHECK (from_installation_id <> into_installation_id),
    CONSTRAINT ck_signal_moves_span
        CHECK ((first_event_timestamp IS NULL) = (last_event_timestamp IS NULL))
);

CREATE INDEX idx_signal_moves_into_installation ON signal_moves (into_installation_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON signal_moves TO laurel_ingest;

-- What people decided moves along, and nothing else of it ever changes.
GRANT UPDATE (installation_id) ON signal_corrections TO laurel_ingest;


-- Keys of an installation by its signals, each by the key table's own index: looking for them by
-- the installation would read the whole table, for an installation that has none left, too.
DROP TRIGGER trg_github_installations_forget_signal_keys ON github_installations;
DROP FUNCTION forget_installation_signal_keys();

CREATE FUNCTION forget_installation_signal_keys() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.signal_keys AS k
    USING public.signals AS s
    WHERE s.installation_id = OLD.installation_id
        AND k.content_hash = decode(s.content_hash, 'hex')
        AND k.user_id = CASE s.type WHEN 'commit' THEN s.user_id ELSE 0 END;
    RETURN OLD;
END;
$$;

COMMENT ON FUNCTION forget_installation_signal_keys() IS
    'Lets the keys of an installation''s signals go before the signals do, by cascade.';

REVOKE EXECUTE ON FUNCTION forget_installation_signal_keys() FROM PUBLIC;

CREATE TRIGGER trg_github_installations_forget_signal_keys
    BEFORE DELETE ON github_installations
    FOR EACH ROW EXECUTE FUNCTION forget_installation_signal_keys();
