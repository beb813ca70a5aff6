-- Sessions of signed-in users with their encrypted GitHub tokens. The id is a digest of the
-- session token, never the token.

CREATE TABLE auth_sessions (
    id text NOT NULL,
    user_id bigint NOT NULL,
    github_token_encrypted text NOT NULL,
    github_token_iv text NOT NULL,
    github_token_tag text NOT NULL,
    github_token_type text NOT NULL,
    github_token_scope text NOT NULL,
    tokens_encrypted boolean NOT NULL DEFAULT true,
    github_refresh_token_encrypted text,
    github_refresh_token_iv text,
    github_refresh_token_tag text,
    github_refresh_token_expires_at timestamptz,
    github_access_token_expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_auth_sessions PRIMARY KEY (id),
    CONSTRAINT fk_auth_sessions_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_auth_sessions_id CHECK (id ~ '^[0-9a-f]{64}$'),
    -- A ciphertext without its nonce and tag could never be opened.
    CONSTRAINT ck_auth_sessions_refresh_token CHECK (
        num_nonnulls(
            github_refresh_token_encrypted, github_refresh_token_iv, github_refresh_token_tag
        ) IN (0, 3)
    )
);

CREATE INDEX idx_auth_sessions_user ON auth_sessions (user_id);
CREATE INDEX idx_auth_sessions_expires_at ON auth_sessions (expires_at);

CREATE TRIGGER trg_auth_sessions_updated_at BEFORE UPDATE ON auth_sessions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();


CREATE TABLE session_installations (
    session_id text NOT NULL,
    installation_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_session_installations PRIMARY KEY (session_id, installation_id),
    CONSTRAINT fk_session_installations_session FOREIGN KEY (session_id)
        REFERENCES auth_sessions (id) ON DELETE CASCADE,
    CONSTRAINT fk_session_installations_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE
);

CREATE INDEX idx_session_installations_installation ON session_installations (installation_id);
