-- Ingest: what people decided about spam and bots, who and when. Rows are added, never changed.

CREATE TABLE signal_corrections (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    action text NOT NULL,
    -- Of spam: the thing, as a spam signal names it. Of bots: the user.
    repository_id bigint,
    thing text,
    user_id bigint,
    -- Who: the kind of caller, and the key's name or the user's login.
    actor_kind text NOT NULL,
    actor_name text NOT NULL,
    corrected_at timestamptz NOT NULL,
    CONSTRAINT pk_signal_corrections PRIMARY KEY (id),
    CONSTRAINT fk_signal_corrections_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE,
    CONSTRAINT ck_signal_corrections_action
        CHECK (action IN ('spam_flagged', 'spam_unflagged', 'bot_added', 'bot_removed')),
    CONSTRAINT ck_signal_corrections_subject CHECK (
        CASE WHEN action IN ('spam_flagged', 'spam_unflagged')
            THEN repository_id IS NOT NULL AND thing IS NOT NULL
            ELSE user_id IS NOT NULL
        END
    )
);

CREATE INDEX idx_signal_corrections_installation
    ON signal_corrections (installation_id, id DESC);

GRANT SELECT, INSERT ON signal_corrections TO laurel_ingest;
GRANT USAGE ON SEQUENCE signal_corrections_id_seq TO laurel_ingest;
