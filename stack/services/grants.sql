-- What each service may do, by table where it can be: run as root after the migration at every `make up`.

-- The simulator writes records and labels, adds to the ledger, and alone knows the truth about injected drift.
GRANT SELECT ON :database.:simulator_reads TO driftline_simulator@%(clients)s;
GRANT SELECT, INSERT ON :database.:simulator_adds TO driftline_simulator@%(clients)s;
GRANT SELECT, INSERT, UPDATE ON :database.:simulator_changes TO driftline_simulator@%(clients)s;
GRANT SELECT, INSERT, DELETE ON :database.:simulator_replaces TO driftline_simulator@%(clients)s;
GRANT EXECUTE ON :database_pattern.* TO driftline_simulator@%(clients)s;
GRANT SELECT, INSERT ON :truth_pattern.* TO driftline_simulator@%(clients)s;

-- The exploration reads records.
GRANT SELECT ON :database.:eda_reads TO driftline_eda@%(clients)s;

-- The jobs read all but the truth. They write prepared rows, models and, once and for ever, predictions.
GRANT SELECT, EXECUTE ON :database_pattern.* TO driftline_jobs@%(clients)s;
GRANT INSERT ON :database.:jobs_add TO driftline_jobs@%(clients)s;
GRANT INSERT, UPDATE ON :database.:jobs_change TO driftline_jobs@%(clients)s;
GRANT INSERT, DELETE ON :database.:jobs_replace TO driftline_jobs@%(clients)s;
GRANT CREATE, SELECT, INSERT ON :database.:jobs_make TO driftline_jobs@%(clients)s;
GRANT CREATE, SELECT, INSERT, DELETE ON :database.:jobs_make_and_empty TO driftline_jobs@%(clients)s;
-- To renew a view is to drop it.
GRANT CREATE, DROP, CREATE VIEW, SHOW VIEW, SELECT ON :database.:jobs_renew TO driftline_jobs@%(clients)s;

-- The monitor reads all but the truth, as every model's predictions have a table of their own. It writes what it says.
-- It holds rows of tables that it cannot write to while it reads more: MySQL asks for LOCK TABLES then.
GRANT SELECT, LOCK TABLES ON :database_pattern.* TO driftline_monitor@%(clients)s;
GRANT INSERT, UPDATE, DELETE ON :database.:monitor_writes TO driftline_monitor@%(clients)s;
GRANT DELETE ON :database.:monitor_settles TO driftline_monitor@%(clients)s;

-- What earlier versions gave is taken back, last: a service that runs is never without what it needs.
REVOKE UPDATE, DELETE ON :database.:simulator_adds FROM driftline_simulator@%(clients)s;
REVOKE DELETE ON :database.:simulator_changes FROM driftline_simulator@%(clients)s;
REVOKE UPDATE ON :database.:simulator_replaces FROM driftline_simulator@%(clients)s;
REVOKE UPDATE, DELETE ON :truth_pattern.* FROM driftline_simulator@%(clients)s;
REVOKE INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW ON :database_pattern.* FROM driftline_jobs@%(clients)s;
REVOKE INSERT, UPDATE, DELETE, CREATE, CREATE VIEW, SHOW VIEW, EXECUTE ON :database_pattern.* FROM driftline_monitor@%(clients)s;
