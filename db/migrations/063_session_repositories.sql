-- Identity: which repositories of an installation the user of a session can read, as GitHub last
-- said with the session's own token.

CREATE TABLE session_repositories (
    session_id text NOT NULL,
    installation_id bigint NOT NULL,
    -- In ascending order. Those of an organization's thousands that a user can read come and go
    -- together: a row for each would be written anew every hour.
    repository_ids bigint[] NOT NULL,
    read_at timestamptz NOT NULL,
    CONSTRAINT pk_session_repositories PRIMARY KEY (session_id, installation_id),
    CONSTRAINT fk_session_repositories_session FOREIGN KEY (session_id)
        REFERENCES auth_sessions (id) ON DELETE CASCADE,
    CONSTRAINT fk_session_repositories_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE
);

CREATE INDEX idx_session_repositories_installation ON session_repositories (installation_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON session_repositories TO laurel_identity;


-- Whoever leaves an organization loses with the membership what it could read there: sessions
-- are linked again when GitHub says so, and must not be believed until then.
CREATE FUNCTION forget_sessions_of_member() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM public.session_repositories AS known
    USING public.auth_sessions AS s, public.github_installations AS i
    WHERE s.id = known.session_id AND s.user_id = OLD.user_id
        AND i.installation_id = known.installation_id
        AND i.organization_id = OLD.organization_id;
    DELETE FROM public.session_installations AS linked
    USING public.auth_sessions AS s, public.github_installations AS i
    WHERE s.id = linked.session_id AND s.user_id = OLD.user_id
        AND i.installation_id = linked.installation_id
        AND i.organization_id = OLD.organization_id;
    RETURN NULL;
END;
$$;

COMMENT ON FUNCTION forget_sessions_of_member() IS
    'Unlinks the sessions of a user from the installations of an organization that it left.';

REVOKE EXECUTE ON FUNCTION forget_sessions_of_member() FROM PUBLIC;

CREATE TRIGGER trg_organization_memberships_left AFTER DELETE ON organization_memberships
    FOR EACH ROW EXECUTE FUNCTION forget_sessions_of_member();
