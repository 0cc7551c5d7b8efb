-- What each service may do, by table where it can be: run as root after the migration at every `make up`.

-- The simulator writes records, labels and their batches, and alone knows the truth about injected drift.
GRANT SELECT, INSERT, UPDATE, DELETE ON :database.:simulator_writes TO driftline_simulator@%(clients)s;
GRANT SELECT ON :database.:simulator_reads TO driftline_simulator@%(clients)s;
GRANT EXECUTE ON :database_pattern.* TO driftline_simulator@%(clients)s;
GRANT SELECT, INSERT, UPDATE, DELETE ON :truth_pattern.* TO driftline_simulator@%(clients)s;

-- Jobs and monitor make the table of a new model's predictions and the view over them; neither sees the truth.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW, EXECUTE ON :database_pattern.* TO driftline_jobs@%(clients)s;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW, EXECUTE ON :database_pattern.* TO driftline_monitor@%(clients)s;

-- To renew that view is to drop it.
GRANT CREATE, DROP ON :database.:renewed_views TO driftline_jobs@%(clients)s;
GRANT CREATE, DROP ON :database.:renewed_views TO driftline_monitor@%(clients)s;
