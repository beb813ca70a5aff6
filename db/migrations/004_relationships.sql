-- Who belongs to what. Roles and permissions are GitHub's own words, custom ones included, so no
-- CHECK narrows them.

CREATE TABLE organization_memberships (
    user_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    role text NOT NULL DEFAULT 'member',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_organization_memberships PRIMARY KEY (user_id, organization_id),
    CONSTRAINT fk_organization_memberships_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_organization_memberships_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE
);

CREATE INDEX idx_organization_memberships_organization
    ON organization_memberships (organization_id);


CREATE TABLE team_members (
    team_id bigint NOT NULL,
    user_id bigint NOT NULL,
    role text NOT NULL DEFAULT 'member',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_team_members PRIMARY KEY (team_id, user_id),
    CONSTRAINT fk_team_members_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_team_members_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX idx_team_members_user ON team_members (user_id);

CREATE TRIGGER trg_team_members_updated_at BEFORE UPDATE ON team_members
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();


CREATE TABLE team_repositories (
    team_id bigint NOT NULL,
    repository_id bigint NOT NULL,
    permission text NOT NULL DEFAULT 'push',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_team_repositories PRIMARY KEY (team_id, repository_id),
    CONSTRAINT fk_team_repositories_team FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT fk_team_repositories_repository FOREIGN KEY (repository_id)
        REFERENCES repositories (id) ON DELETE CASCADE
);

CREATE INDEX idx_team_repositories_repository ON team_repositories (repository_id);

CREATE TRIGGER trg_team_repositories_updated_at BEFORE UPDATE ON team_repositories
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
