-- What each service may do, by table where it can be: run as root after the migration at every `make up`.

-- The simulator writes records, labels and their batches, and alone knows the truth about injected drift.
GRANT SELECT, INSERT, UPDATE, DELETE ON :database.:simulator_writes TO driftline_simulator@localhost;
GRANT SELECT ON :database.:simulator_reads TO driftline_simulator@localhost;
GRANT EXECUTE ON :database_pattern.* TO driftline_simulator@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE ON :truth_pattern.* TO driftline_simulator@localhost;

-- Jobs and monitor make the table of a new model's predictions and the view over them; neither sees the truth.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW, EXECUTE ON :database_pattern.* TO driftline_jobs@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW, EXECUTE ON :database_pattern.* TO driftline_monitor@localhost;

-- To renew that view is to drop it.
GRANT CREATE, DROP ON :database.:renewed_views TO driftline_jobs@localhost;
GRANT CREATE, DROP ON :database.:renewed_views TO driftline_monitor@localhost;
