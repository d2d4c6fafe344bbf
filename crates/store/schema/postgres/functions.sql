-- What PostgreSQL lacks and the statements of the store use. SQLite has it built in.

-- Reads a JSON list of numbers.
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value BIGINT) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT number::BIGINT FROM json_array_elements_text(list::JSON) AS numbers (number)';

-- Reads a JSON list of texts. The path is always '$'.
CREATE FUNCTION json_each(list text, path text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT entry FROM json_array_elements_text(list::JSON) AS entries (entry)';

-- Returns the least of some bytes. PostgreSQL 18 has this built in.
CREATE FUNCTION lesser(one BYTEA, other BYTEA) RETURNS BYTEA LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT CASE WHEN one < other THEN one ELSE other END';
CREATE AGGREGATE min (BYTEA) (SFUNC = lesser, STYPE = BYTEA, SORTOP = <, PARALLEL = SAFE, COMBINEFUNC = lesser);

-- Makes a view read-only: without this trigger PostgreSQL writes through a view of one table into that table.
CREATE FUNCTION refuse_writes_to_views() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is to be read only; what is changed goes through the API', TG_TABLE_NAME USING ERRCODE = '42501';
END
$$;
