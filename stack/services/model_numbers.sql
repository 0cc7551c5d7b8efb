-- The numbers of the registered models: each has tables of its own, named by its number.
SELECT name, number FROM :database.models;
