-- The number of a model; its predictions have a table of that number.
SELECT number FROM :database.models WHERE name = %(name)s;
