-- Ingest: people whom an installation counts as bots. Applied when scoring; users.is_bot stays
-- what GitHub says.

CREATE TABLE installation_bots (
    installation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    added_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_installation_bots PRIMARY KEY (installation_id, user_id),
    CONSTRAINT fk_installation_bots_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT fk_installation_bots_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX idx_installation_bots_user ON installation_bots (user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON installation_bots TO laurel_ingest;
