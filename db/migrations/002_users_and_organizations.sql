-- People and accounts as GitHub knows them. GitHub's users and organizations share one id space.

CREATE TABLE users (
    id bigint NOT NULL,
    login text NOT NULL,
    name text,
    avatar_url text NOT NULL,
    is_bot boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT idx_users_login UNIQUE (login)
);

CREATE INDEX idx_users_is_bot ON users (id) WHERE is_bot = true;

CREATE TRIGGER trg_users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();


CREATE TABLE organizations (
    id bigint NOT NULL,
    login text NOT NULL,
    name text,
    avatar_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_organizations PRIMARY KEY (id),
    CONSTRAINT idx_organizations_login UNIQUE (login)
);

CREATE TRIGGER trg_organizations_updated_at BEFORE UPDATE ON organizations
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
