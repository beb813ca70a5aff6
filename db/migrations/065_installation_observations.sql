-- When GitHub was last asked of an installation (8) and of a repository that it was given or not
-- (9: installation, repository). A row of a relation or a team that is not there any more says
-- when it was seen not to be, so that older news does not bring it back.

ALTER TABLE entity_observations DROP CONSTRAINT ck_entity_observations_kind;
ALTER TABLE entity_observations
    ADD CONSTRAINT ck_entity_observations_kind CHECK (kind BETWEEN 1 AND 9);
