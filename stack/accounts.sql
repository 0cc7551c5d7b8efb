-- The users of our own server, on this machine only: run as root at every `make up`.
CREATE USER IF NOT EXISTS driftline_owner@localhost IDENTIFIED BY %(driftline_owner)s;
CREATE USER IF NOT EXISTS driftline_simulator@localhost IDENTIFIED BY %(driftline_simulator)s;
CREATE USER IF NOT EXISTS driftline_jobs@localhost IDENTIFIED BY %(driftline_jobs)s;
CREATE USER IF NOT EXISTS driftline_monitor@localhost IDENTIFIED BY %(driftline_monitor)s;
ALTER USER driftline_owner@localhost IDENTIFIED BY %(driftline_owner)s;
ALTER USER driftline_simulator@localhost IDENTIFIED BY %(driftline_simulator)s;
ALTER USER driftline_jobs@localhost IDENTIFIED BY %(driftline_jobs)s;
ALTER USER driftline_monitor@localhost IDENTIFIED BY %(driftline_monitor)s;

-- The owner migrates.
GRANT ALL PRIVILEGES ON :database_pattern.* TO driftline_owner@localhost;
GRANT ALL PRIVILEGES ON :truth_pattern.* TO driftline_owner@localhost;
