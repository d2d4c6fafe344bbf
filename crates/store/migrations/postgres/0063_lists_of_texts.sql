-- Reads a list of texts; with one argument it reads numbers.
CREATE FUNCTION json_each(list text, path text) RETURNS TABLE (value text) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT entry FROM json_array_elements_text(list::JSON) AS entries (entry)';
