-- Names are compared as GitHub compares them: without regard to ASCII case. The "C" collation
-- folds those letters alone, whatever the database's locale. Unique, so that no two rows stand
-- under spellings of one name; the reference's own keys compare the exact spelling.

CREATE UNIQUE INDEX idx_users_login_folded ON users (lower(login COLLATE "C"));

CREATE UNIQUE INDEX idx_organizations_login_folded ON organizations (lower(login COLLATE "C"));

CREATE UNIQUE INDEX idx_repositories_full_name_folded
    ON repositories (lower(full_name COLLATE "C"));

CREATE UNIQUE INDEX idx_teams_organization_slug_folded
    ON teams (organization_id, lower(slug COLLATE "C"));

-- Repositories whose account is not known wait to be found by their owner's login.
CREATE INDEX idx_repositories_unowned ON repositories (lower(owner_login COLLATE "C"))
    WHERE organization_id IS NULL;

-- The teams of an account are paged by id.
CREATE INDEX idx_teams_organization_id ON teams (organization_id, id);
