-- Leaderboard: presets that have boards, whose they are, and which one an installation serves.
-- Scoring owns presets; this is what leaderboard was told of them with the boards.

CREATE TABLE published_presets (
    preset_id bigint NOT NULL,
    installation_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    is_served boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_published_presets PRIMARY KEY (preset_id),
    CONSTRAINT fk_published_presets_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT fk_published_presets_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT fk_published_presets_organization FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE
);

CREATE INDEX idx_published_presets_installation ON published_presets (installation_id);
CREATE INDEX idx_published_presets_organization ON published_presets (organization_id);
-- A board that names no preset means the one that is served.
CREATE UNIQUE INDEX uq_published_presets_served
    ON published_presets (installation_id) WHERE is_served;

CREATE TRIGGER trg_published_presets_updated_at
    BEFORE UPDATE ON published_presets
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

GRANT SELECT, INSERT, UPDATE, DELETE ON published_presets TO laurel_leaderboard;
