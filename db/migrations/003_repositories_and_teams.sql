-- Repositories and teams.

CREATE TABLE repositories (
    id bigint NOT NULL,
    full_name text NOT NULL,
    name text NOT NULL,
    owner_login text NOT NULL,
    organization_id bigint,
    is_private boolean NOT NULL DEFAULT false,
    is_archived boolean NOT NULL DEFAULT false,
    is_fork boolean NOT NULL DEFAULT false,
    default_branch text,
    html_url text,
    github_updated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_repositories PRIMARY KEY (id),
    CONSTRAINT idx_repositories_full_name UNIQUE (full_name),
    -- A repository outlives its account's row: signals refer to it.
    CONSTRAINT fk_repositories_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE SET NULL
);

CREATE INDEX idx_repositories_owner ON repositories (owner_login);
CREATE INDEX idx_repositories_org ON repositories (organization_id)
    WHERE organization_id IS NOT NULL;

CREATE TRIGGER trg_repositories_updated_at BEFORE UPDATE ON repositories
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();


CREATE TABLE teams (
    id bigint NOT NULL,
    organization_id bigint NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    privacy team_privacy NOT NULL DEFAULT 'closed',
    github_created_at timestamptz,
    github_updated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_teams PRIMARY KEY (id),
    CONSTRAINT uq_teams_organization_slug UNIQUE (organization_id, slug),
    CONSTRAINT fk_teams_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE
);

CREATE TRIGGER trg_teams_updated_at BEFORE UPDATE ON teams
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
