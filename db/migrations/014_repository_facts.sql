-- Ingest: what it knows of a repository beyond its signals, so that a fact which arrives later (a
-- merge, a closing keyword, an authored time) finds the ones that it changes the meaning of.

CREATE TABLE repository_facts (
    repository_id bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    standing smallint NOT NULL,
    body jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_repository_facts PRIMARY KEY (repository_id, kind, key),
    CONSTRAINT fk_repository_facts_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT ck_repository_facts_standing CHECK (standing BETWEEN 1 AND 3)
);

CREATE TRIGGER trg_repository_facts_updated_at BEFORE UPDATE ON repository_facts
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE ON repository_facts TO laurel_ingest;
