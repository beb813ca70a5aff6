-- Ingest: whom a synthetic author stood for before sources told of somebody else. A claim itself
-- says since when it stands; this says what it was until then, and is only ever added to.
CREATE TABLE former_user_claims (
    synthetic_id bigint NOT NULL,
    user_id bigint NOT NULL,
    claimed_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    CONSTRAINT pk_former_user_claims PRIMARY KEY (synthetic_id, user_id, ended_at),
    CONSTRAINT fk_former_user_claims_user FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_former_user_claims_synthetic CHECK (synthetic_id < -4611686018427387904),
    CONSTRAINT ck_former_user_claims_time CHECK (claimed_at <= ended_at)
);

CREATE INDEX idx_former_user_claims_user ON former_user_claims (user_id);

GRANT SELECT, INSERT ON former_user_claims TO laurel_ingest;

CREATE FUNCTION keep_former_user_claim() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO public.former_user_claims (synthetic_id, user_id, claimed_at, ended_at)
    VALUES (OLD.synthetic_id, OLD.user_id, OLD.created_at, now());
    NEW.created_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION keep_former_user_claim() IS
    'Notes whom a synthetic author stood for until now, and since when it stands for somebody else.';

REVOKE EXECUTE ON FUNCTION keep_former_user_claim() FROM PUBLIC;

CREATE TRIGGER trg_synthetic_user_claims_keep_former
    BEFORE UPDATE ON synthetic_user_claims
    FOR EACH ROW WHEN (OLD.user_id IS DISTINCT FROM NEW.user_id)
    EXECUTE FUNCTION keep_former_user_claim();
