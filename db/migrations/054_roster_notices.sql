-- Identity: installations whose roster has changed and of whom scoring has not been told yet.

-- A row is written with each change and goes when scoring has answered. One for all changes of an
-- installation would have them wait for each other, and two of two installations lock each other out.
CREATE TABLE roster_notices (
    id bigserial NOT NULL,
    installation_id bigint NOT NULL,
    CONSTRAINT pk_roster_notices PRIMARY KEY (id),
    CONSTRAINT fk_roster_notices_installation FOREIGN KEY (installation_id)
        REFERENCES github_installations (installation_id) ON DELETE CASCADE
);

CREATE INDEX idx_roster_notices_installation ON roster_notices (installation_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON roster_notices TO laurel_identity;
GRANT USAGE ON SEQUENCE roster_notices_id_seq TO laurel_identity;


-- Boards depend on which repositories an installation sees, who is in a team, and which repositories
-- a team has. Triggers note it: such rows also come and go by cascade, where no code sees them.
-- Privacy, names and roles change nothing in a board.
CREATE FUNCTION note_roster_change(p_installation_ids bigint[]) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.roster_notices (installation_id)
    SELECT i.installation_id
    FROM public.github_installations AS i
    WHERE i.installation_id = ANY (p_installation_ids)
        AND i.suspended_by IS DISTINCT FROM 'uninstalled';
$$;

COMMENT ON FUNCTION note_roster_change(bigint[]) IS
    'Notes that the boards of these installations have to follow a change of their rosters.';

REVOKE EXECUTE ON FUNCTION note_roster_change(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_roster_change(bigint[]) TO laurel_identity;


-- A team's members or repositories, as `changed` rows of either.
CREATE FUNCTION note_team_relations() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.note_roster_change(ARRAY(
        SELECT DISTINCT i.installation_id
        FROM changed AS c
        JOIN public.teams AS t ON t.id = c.team_id
        JOIN public.github_installations AS i ON i.organization_id = t.organization_id
    ));
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION note_team_relations() FROM PUBLIC;

CREATE TRIGGER trg_team_members_note_insert
    AFTER INSERT ON team_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_team_relations();

CREATE TRIGGER trg_team_members_note_delete
    AFTER DELETE ON team_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_team_relations();

CREATE TRIGGER trg_team_repositories_note_insert
    AFTER INSERT ON team_repositories
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_team_relations();

CREATE TRIGGER trg_team_repositories_note_delete
    AFTER DELETE ON team_repositories
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_team_relations();


-- A team that goes takes its relations with it, which then name no account any more. One that comes
-- has no members yet.
CREATE FUNCTION note_teams() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.note_roster_change(ARRAY(
        SELECT DISTINCT i.installation_id
        FROM changed AS c
        JOIN public.github_installations AS i ON i.organization_id = c.organization_id
    ));
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION note_teams() FROM PUBLIC;

CREATE TRIGGER trg_teams_note_delete
    AFTER DELETE ON teams
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_teams();


-- A repository that an installation sees from now on counts if it was known before: one that is new
-- to us, as in an import, has no signals yet, and ingest notes those.
CREATE FUNCTION note_seen_repositories() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.note_roster_change(ARRAY(
        SELECT DISTINCT c.installation_id
        FROM changed AS c
        JOIN public.repositories AS r ON r.id = c.repository_id
        WHERE r.created_at < now()
    ));
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION note_seen_repositories() FROM PUBLIC;

CREATE TRIGGER trg_installation_repositories_note_insert
    AFTER INSERT ON installation_repositories
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_seen_repositories();

-- One that it sees no longer may itself be gone, or the installation.
CREATE FUNCTION note_unseen_repositories() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM public.note_roster_change(ARRAY(SELECT DISTINCT c.installation_id FROM changed AS c));
    RETURN NULL;
END;
$$;

REVOKE EXECUTE ON FUNCTION note_unseen_repositories() FROM PUBLIC;

CREATE TRIGGER trg_installation_repositories_note_delete
    AFTER DELETE ON installation_repositories
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_unseen_repositories();
