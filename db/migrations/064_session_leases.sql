-- Identity: who refreshes a session's GitHub token. GitHub takes a refresh token once; of several
-- who find that it is time, one asks and the others wait for the outcome.

CREATE TABLE session_leases (
    session_id text NOT NULL,
    leased_until timestamptz NOT NULL,
    CONSTRAINT pk_session_leases PRIMARY KEY (session_id),
    CONSTRAINT fk_session_leases_session FOREIGN KEY (session_id)
        REFERENCES auth_sessions (id) ON DELETE CASCADE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON session_leases TO laurel_identity;
