-- When the directory last heard of each of its rows, and which synthetic accounts turned out to
-- be others. Beside the reference's tables, which stay as they are.

CREATE TABLE entity_observations (
    -- user 1, organization 2, repository 3, team 4, membership 5 (organization, user),
    -- team member 6 (team, user), team repository 7 (team, repository)
    kind smallint NOT NULL,
    entity_id bigint NOT NULL,
    -- The second half of a relation's key; 0 for what has one id.
    related_id bigint NOT NULL DEFAULT 0,
    observed_at timestamptz NOT NULL,
    CONSTRAINT pk_entity_observations PRIMARY KEY (kind, entity_id, related_id),
    CONSTRAINT ck_entity_observations_kind CHECK (kind BETWEEN 1 AND 7)
)
-- Every import moves the times of what it meets: room for the new version on the same page.
WITH (fillfactor = 70);

CREATE TABLE merged_accounts (
    account_id bigint NOT NULL,
    into_account_id bigint NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_merged_accounts PRIMARY KEY (account_id),
    CONSTRAINT fk_merged_accounts_into_account FOREIGN KEY (into_account_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT ck_merged_accounts_distinct CHECK (account_id <> into_account_id)
);

CREATE INDEX idx_merged_accounts_into_account ON merged_accounts (into_account_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON entity_observations, merged_accounts TO laurel_identity;
