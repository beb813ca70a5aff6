-- The GitHub App's installations: the tenants, and the repositories that each can see.

CREATE TABLE github_installations (
    installation_id bigint NOT NULL,
    app_id bigint NOT NULL,
    organization_id bigint,
    user_account_id bigint,
    account_type account_type NOT NULL DEFAULT 'organization',
    repository_selection text NOT NULL DEFAULT 'all',
    permissions jsonb NOT NULL DEFAULT '{}'::jsonb,
    repository_count integer NOT NULL DEFAULT 0,
    suspended_at timestamptz,
    suspended_by text,
    gh_created_at timestamptz,
    gh_updated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_github_installations PRIMARY KEY (installation_id),
    -- A tenant never vanishes because its account's row does: erasing one is a step of its own.
    CONSTRAINT fk_github_installations_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE RESTRICT,
    CONSTRAINT fk_github_installations_user_account FOREIGN KEY (user_account_id)
        REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT ck_github_installations_one_account
        CHECK (num_nonnulls(organization_id, user_account_id) = 1),
    CONSTRAINT ck_github_installations_repository_selection
        CHECK (repository_selection IN ('all', 'selected')),
    CONSTRAINT ck_github_installations_repository_count CHECK (repository_count >= 0)
);

CREATE INDEX idx_github_installations_organization ON github_installations (organization_id)
    WHERE organization_id IS NOT NULL;
CREATE INDEX idx_github_installations_user_account ON github_installations (user_account_id)
    WHERE user_account_id IS NOT NULL;

CREATE TRIGGER trg_github_installations_updated_at BEFORE UPDATE ON github_installations
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();


CREATE TABLE installation_repositories (
    installation_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_installation_repositories PRIMARY KEY (installation_id, repository_id),
    CONSTRAINT fk_installation_repositories_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT fk_installation_repositories_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE
);

CREATE INDEX idx_installation_repositories_repository
    ON installation_repositories (repository_id);
