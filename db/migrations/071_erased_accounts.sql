-- Identity: what the directory knows of an account goes with its last installation.

-- Teams, memberships and repositories, when they were heard of, and the account itself. What others
-- refer to stays: a repository whose signals are another installation's by now. People stay, who
-- belong to no account; so does the log of what was done.
CREATE FUNCTION forget_account(p_account_id bigint) RETURNS void
LANGUAGE plpgsql
-- Whether anybody else refers to a row is not for identity to see.
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id bigint;
BEGIN
    IF EXISTS (
        SELECT FROM public.github_installations
        WHERE organization_id = p_account_id OR user_account_id = p_account_id
    ) THEN
        RETURN;
    END IF;
    DELETE FROM public.entity_observations AS o USING public.teams AS t
    WHERE t.organization_id = p_account_id AND o.kind IN (4, 6, 7) AND o.entity_id = t.id;
    FOR v_id IN SELECT id FROM public.teams WHERE organization_id = p_account_id LOOP
        BEGIN
            DELETE FROM public.teams WHERE id = v_id;
        EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
            CONTINUE;
        END;
    END LOOP;
    DELETE FROM public.organization_memberships WHERE organization_id = p_account_id;
    FOR v_id IN SELECT id FROM public.repositories WHERE organization_id = p_account_id LOOP
        BEGIN
            DELETE FROM public.repositories WHERE id = v_id;
            DELETE FROM public.entity_observations WHERE kind = 3 AND entity_id = v_id;
        EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
            CONTINUE;
        END;
    END LOOP;
    IF NOT EXISTS (SELECT FROM public.repositories WHERE organization_id = p_account_id)
        AND NOT EXISTS (SELECT FROM public.teams WHERE organization_id = p_account_id)
    THEN
        DELETE FROM public.organizations WHERE id = p_account_id;
        DELETE FROM public.entity_observations WHERE kind IN (2, 5) AND entity_id = p_account_id;
    END IF;
END;
$$;

COMMENT ON FUNCTION forget_account(bigint) IS
    'Deletes what the directory has of an account that no installation is on.';

REVOKE EXECUTE ON FUNCTION forget_account(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_account(bigint) TO laurel_identity;
