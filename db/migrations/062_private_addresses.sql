-- Whom GitHub's private e-mail addresses stand for. Archives hash the local part of an address, so
-- identity keeps, for every pair of id and login that it ever heard of, the synthetic user ids that
-- ingest makes of `id+login` and `login` at users.noreply.github.com.

CREATE TABLE private_addresses (
    synthetic_id bigint NOT NULL,
    -- No foreign key: each would cost a bulk write another lookup per row, and what is read is
    -- joined with users anyway.
    user_id bigint NOT NULL,
    CONSTRAINT pk_private_addresses PRIMARY KEY (synthetic_id, user_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON private_addresses TO laurel_identity;


-- Users who are there already. PostgreSQL has no SHA-1 of its own; this one goes with the migration.
CREATE FUNCTION pg_temp.sha1_hex(message bytea) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    c_mask CONSTANT bigint := 4294967295;
    v_padded bytea;
    v_words bigint[] := array_fill(0::bigint, ARRAY[80], ARRAY[0]);
    v_word bigint;
    h0 bigint := 1732584193;
    h1 bigint := 4023233417;
    h2 bigint := 2562383102;
    h3 bigint := 271733878;
    h4 bigint := 3285377520;
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint;
BEGIN
    v_padded := message || '\x80'::bytea
        || decode(repeat('00', (119 - octet_length(message) % 64) % 64), 'hex')
        || int8send(octet_length(message)::bigint * 8);
    FOR v_start IN 0 .. octet_length(v_padded) - 1 BY 64 LOOP
        a := h0; b := h1; c := h2; d := h3; e := h4;
        FOR i IN 0 .. 79 LOOP
            IF i < 16 THEN
                v_word := get_byte(v_padded, v_start + 4 * i) * 16777216::bigint
                    + get_byte(v_padded, v_start + 4 * i + 1) * 65536
                    + get_byte(v_padded, v_start + 4 * i + 2) * 256
                    + get_byte(v_padded, v_start + 4 * i + 3);
            ELSE
                v_word := v_words[i - 3] # v_words[i - 8] # v_words[i - 14] # v_words[i - 16];
                v_word := ((v_word << 1) | (v_word >> 31)) & c_mask;
            END IF;
            v_words[i] := v_word;
            f := CASE i / 20
                WHEN 0 THEN ((b & c) | (~b & d)) + 1518500249
                WHEN 1 THEN (b # c # d) + 1859775393
                WHEN 2 THEN ((b & c) | (b & d) | (c & d)) + 2400959708
                ELSE (b # c # d) + 3395469782
            END;
            v_word := (((a << 5) | (a >> 27)) & c_mask) + (f & c_mask) + e + v_word;
            e := d;
            d := c;
            c := ((b << 30) | (b >> 2)) & c_mask;
            b := a;
            a := v_word & c_mask;
        END LOOP;
        h0 := (h0 + a) & c_mask;
        h1 := (h1 + b) & c_mask;
        h2 := (h2 + c) & c_mask;
        h3 := (h3 + d) & c_mask;
        h4 := (h4 + e) & c_mask;
    END LOOP;
    RETURN encode(
        substring(int8send(h0) FROM 5) || substring(int8send(h1) FROM 5)
        || substring(int8send(h2) FROM 5) || substring(int8send(h3) FROM 5)
        || substring(int8send(h4) FROM 5), 'hex'
    );
END;
$$;

INSERT INTO private_addresses (synthetic_id, user_id)
SELECT DISTINCT
    -4611686018427387905 - (
        -- The first eight bytes, big-endian and without a sign.
        (
            ('x' || encode(substring(digest FROM 1 FOR 4), 'hex'))::bit(32)::bigint
                * 4294967296::numeric
            + ('x' || encode(substring(digest FROM 5 FOR 4), 'hex'))::bit(32)::bigint
        ) % 4611686018427387903
    )::bigint,
    id
FROM (
    SELECT u.id, sha256(convert_to(
        'email|' || pg_temp.sha1_hex(convert_to(local.part, 'UTF8')) || '@users.noreply.github.com',
        'UTF8'
    )) AS digest
    FROM users AS u
    CROSS JOIN LATERAL (
        SELECT DISTINCT prefix || spelling AS part
        FROM unnest(ARRAY['', u.id || '+']) AS prefix,
            unnest(ARRAY[u.login, lower(u.login COLLATE "C")]) AS spelling
    ) AS local
    -- Numbered users with a login of their own: no synthetic ones, no tombstones or placeholders.
    WHERE u.id > -4611686018427387905 AND position('~' IN u.login) = 0
) AS known;

DROP FUNCTION pg_temp.sha1_hex(bytea);
