-- Ingest: which facts bear on which, who turned out to be whom, and in what state an
-- installation's signals are.

-- A fact may be told of a repository before the directory hears of it (a fork, by the fork event
-- of its parent), so facts refer to no row there; they still go with the repository's.
ALTER TABLE repository_facts DROP CONSTRAINT fk_repository_facts_repository;

CREATE FUNCTION forget_repository_facts() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.repository_facts WHERE repository_id IN (SELECT id FROM erased);
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION forget_repository_facts() FROM PUBLIC;

CREATE TRIGGER trg_repositories_forget_facts
    AFTER DELETE ON repositories
    REFERENCING OLD TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION forget_repository_facts();


-- (kind, key) names a fact; (target_kind, target_key) another one of the repository that may not
-- be known yet, or, with target_kind `person`, a synthetic user id that it credits. Links are only
-- ever added: one that no longer holds costs a look, because the facts themselves decide.
CREATE TABLE repository_fact_links (
    repository_id bigint NOT NULL,
    target_kind text NOT NULL,
    target_key text NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    CONSTRAINT pk_repository_fact_links
        PRIMARY KEY (repository_id, target_kind, target_key, kind, key),
    CONSTRAINT fk_repository_fact_links_fact FOREIGN KEY (repository_id, kind, key)
        REFERENCES repository_facts (repository_id, kind, key) ON DELETE CASCADE
);

CREATE INDEX idx_repository_fact_links_fact ON repository_fact_links (repository_id, kind, key);
CREATE INDEX idx_repository_fact_links_person ON repository_fact_links (target_key)
    WHERE target_kind = 'person';

GRANT SELECT, INSERT, UPDATE, DELETE ON repository_fact_links TO laurel_ingest;


-- Whose a repository's signals are, as last imported: a fact that somebody's claim changes may be
-- of a repository that the batch at hand does not name.
CREATE TABLE repository_installations (
    repository_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    CONSTRAINT pk_repository_installations PRIMARY KEY (repository_id),
    CONSTRAINT fk_repository_installations_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE,
    CONSTRAINT fk_repository_installations_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE
);

CREATE INDEX idx_repository_installations_installation
    ON repository_installations (installation_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON repository_installations TO laurel_ingest;


-- A synthetic user id, made of a hashed address or a login, and the person whom it turned out to
-- be. A login that several have had in turn stands for the account that is oldest.
CREATE TABLE synthetic_user_claims (
    synthetic_id bigint NOT NULL,
    user_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_synthetic_user_claims PRIMARY KEY (synthetic_id),
    CONSTRAINT ck_synthetic_user_claims_synthetic CHECK (synthetic_id < -4611686018427387904),
    CONSTRAINT fk_synthetic_user_claims_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX idx_synthetic_user_claims_user ON synthetic_user_claims (user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON synthetic_user_claims TO laurel_ingest;


-- revision grows with every committed change of an installation's signals or bot list. The two
-- times enclose every signal, so that reads need not lock each partition there is; they are not
-- narrowed when signals are withdrawn.
CREATE TABLE installation_signal_states (
    installation_id bigint NOT NULL,
    revision bigint NOT NULL DEFAULT 1,
    signal_count bigint NOT NULL DEFAULT 0,
    first_event_timestamp timestamptz,
    last_event_timestamp timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_installation_signal_states PRIMARY KEY (installation_id),
    CONSTRAINT fk_installation_signal_states_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_installation_signal_states_count CHECK (signal_count >= 0)
) WITH (fillfactor = 70);

CREATE TRIGGER trg_installation_signal_states_updated_at
    BEFORE UPDATE ON installation_signal_states
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE ON installation_signal_states TO laurel_ingest;


-- Signals get their ids in the staging table, where keys and rows are told apart.
GRANT USAGE ON SEQUENCE signals_id_seq TO laurel_ingest;
