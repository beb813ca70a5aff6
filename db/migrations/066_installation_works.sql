-- Identity: what has to be done about installations in all services, one after the other for each
-- account, and the schema in which the job queue keeps its own tables.

CREATE SCHEMA identity_jobs;
GRANT USAGE ON SCHEMA identity_jobs TO laurel_identity;

-- adopt: what installation_id holds moves to the account's own installation. transfer: what it
-- holds of repository_id moves to the installation of the repository's account. into_installation_id
-- is set when the move begins, and stays. No foreign keys: a work outlives the row that it is about.
CREATE TABLE installation_works (
    id bigserial NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    installation_id bigint NOT NULL,
    repository_id bigint NOT NULL DEFAULT 0,
    into_installation_id bigint,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    -- Null: at once.
    next_attempt_at timestamptz,
    last_error text,
    -- done; or moot, where there was nothing to do it for any more.
    outcome text,
    finished_at timestamptz,
    CONSTRAINT pk_installation_works PRIMARY KEY (id),
    CONSTRAINT ck_installation_works_kind CHECK (kind IN ('adopt', 'transfer', 'erase')),
    CONSTRAINT ck_installation_works_repository
        CHECK ((kind = 'transfer') = (repository_id <> 0)),
    CONSTRAINT ck_installation_works_outcome CHECK (outcome IN ('done', 'moot')),
    CONSTRAINT ck_installation_works_finished
        CHECK ((outcome IS NULL) = (finished_at IS NULL)),
    CONSTRAINT ck_installation_works_attempts CHECK (attempts >= 0)
);

-- What is asked for while it is open is asked for already.
CREATE UNIQUE INDEX uq_installation_works_open
    ON installation_works (installation_id, repository_id, kind) WHERE finished_at IS NULL;
CREATE INDEX idx_installation_works_account ON installation_works (account_id, id)
    WHERE finished_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON installation_works TO laurel_identity;
GRANT USAGE ON SEQUENCE installation_works_id_seq TO laurel_identity;


-- Accounts that have an App's installation beside an imported or an uninstalled one, from before
-- there were works.
INSERT INTO installation_works (account_id, kind, installation_id, requested_by)
SELECT coalesce(own.organization_id, own.user_account_id), 'adopt', left_behind.installation_id,
    'migration'
FROM github_installations AS own
JOIN github_installations AS left_behind
    ON coalesce(left_behind.organization_id, left_behind.user_account_id)
        = coalesce(own.organization_id, own.user_account_id)
    AND (left_behind.app_id = 0 OR left_behind.suspended_by = 'uninstalled')
WHERE own.app_id <> 0 AND own.suspended_by IS DISTINCT FROM 'uninstalled'
ON CONFLICT DO NOTHING;
