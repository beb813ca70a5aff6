-- Scoring rule sets, normalized. The CHECKs repeat the bounds that keep every product of the
-- engine within 64 bits.

CREATE TABLE scoring_presets (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    preset_name text NOT NULL,
    is_active boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_scoring_presets PRIMARY KEY (id),
    CONSTRAINT uq_scoring_presets_installation_name UNIQUE (installation_id, preset_name),
    CONSTRAINT fk_scoring_presets_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_presets_name CHECK (preset_name <> '')
);

CREATE UNIQUE INDEX uq_scoring_presets_one_active ON scoring_presets (installation_id)
    WHERE is_active = true;


CREATE TABLE scoring_preset_rules (
    preset_id bigint NOT NULL,
    weekly_threshold integer NOT NULL DEFAULT 9,
    decay_factor numeric(6, 4) NOT NULL DEFAULT 0.11,
    floor_fraction numeric(6, 4) NOT NULL DEFAULT 0.2,
    spam_penalty numeric(10, 4) NOT NULL DEFAULT -12,
    pr_closed_no_merge_penalty numeric(10, 4) NOT NULL DEFAULT -10,
    CONSTRAINT pk_scoring_preset_rules PRIMARY KEY (preset_id),
    CONSTRAINT fk_scoring_preset_rules_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_rules_weekly_threshold
        CHECK (weekly_threshold BETWEEN 0 AND 10000),
    CONSTRAINT ck_scoring_preset_rules_decay_factor CHECK (decay_factor BETWEEN 0 AND 1),
    CONSTRAINT ck_scoring_preset_rules_floor_fraction CHECK (floor_fraction BETWEEN 0 AND 1),
    CONSTRAINT ck_scoring_preset_rules_spam_penalty CHECK (spam_penalty BETWEEN -10000 AND 0),
    CONSTRAINT ck_scoring_preset_rules_pr_closed_no_merge_penalty
        CHECK (pr_closed_no_merge_penalty BETWEEN -10000 AND 0)
);


CREATE TABLE scoring_preset_base_points (
    preset_id bigint NOT NULL,
    signal_type signal_type NOT NULL,
    points numeric(10, 4) NOT NULL,
    CONSTRAINT pk_scoring_preset_base_points PRIMARY KEY (preset_id, signal_type),
    CONSTRAINT fk_scoring_preset_base_points_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_base_points_points CHECK (points BETWEEN 0 AND 10000)
);


CREATE TABLE scoring_preset_multipliers (
    preset_id bigint NOT NULL,
    kind multiplier_kind NOT NULL,
    factor numeric(10, 4) NOT NULL,
    CONSTRAINT pk_scoring_preset_multipliers PRIMARY KEY (preset_id, kind),
    CONSTRAINT fk_scoring_preset_multipliers_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_multipliers_factor CHECK (factor > 0 AND factor <= 100)
);


CREATE TABLE scoring_preset_multiplier_signal_types (
    preset_id bigint NOT NULL,
    kind multiplier_kind NOT NULL,
    signal_type signal_type NOT NULL,
    CONSTRAINT pk_scoring_preset_multiplier_signal_types
        PRIMARY KEY (preset_id, kind, signal_type),
    CONSTRAINT fk_scoring_preset_multiplier_signal_types_multiplier FOREIGN KEY (preset_id, kind)
        REFERENCES scoring_preset_multipliers (preset_id, kind) ON DELETE CASCADE
);


CREATE TABLE scoring_preset_review_state_weights (
    preset_id bigint NOT NULL,
    state review_state NOT NULL,
    weight numeric(10, 4) NOT NULL,
    CONSTRAINT pk_scoring_preset_review_state_weights PRIMARY KEY (preset_id, state),
    CONSTRAINT fk_scoring_preset_review_state_weights_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_review_state_weights_weight CHECK (weight BETWEEN 0 AND 100)
);


CREATE TABLE scoring_preset_daily_quotas (
    preset_id bigint NOT NULL,
    signal_type signal_type NOT NULL,
    daily_limit integer NOT NULL,
    CONSTRAINT pk_scoring_preset_daily_quotas PRIMARY KEY (preset_id, signal_type),
    CONSTRAINT fk_scoring_preset_daily_quotas_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE,
    CONSTRAINT ck_scoring_preset_daily_quotas_daily_limit CHECK (daily_limit BETWEEN 0 AND 10000)
);


-- A row is a condition that is on.
CREATE TABLE scoring_preset_zero_point_conditions (
    preset_id bigint NOT NULL,
    kind zero_point_kind NOT NULL,
    CONSTRAINT pk_scoring_preset_zero_point_conditions PRIMARY KEY (preset_id, kind),
    CONSTRAINT fk_scoring_preset_zero_point_conditions_preset FOREIGN KEY (preset_id)
        REFERENCES scoring_presets (id) ON DELETE CASCADE
);
