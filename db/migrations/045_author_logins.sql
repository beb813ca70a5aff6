-- Ingest: whose account GitHub said that an author's address is, while nobody knew that account's
-- number. Whoever turns up with the login and a number claims the author.

CREATE TABLE author_logins (
    synthetic_id bigint NOT NULL,
    login text NOT NULL,
    CONSTRAINT pk_author_logins PRIMARY KEY (synthetic_id),
    CONSTRAINT ck_author_logins_synthetic CHECK (synthetic_id < -4611686018427387904),
    CONSTRAINT ck_author_logins_login CHECK (login = lower(login) AND length(login) <= 255)
);

CREATE INDEX idx_author_logins_login ON author_logins (login);

GRANT SELECT, INSERT, UPDATE, DELETE ON author_logins TO laurel_ingest;
