-- The users of our own server, from where its clients are: run as root at every `make up`.
CREATE USER IF NOT EXISTS driftline_owner@%(clients)s IDENTIFIED BY %(driftline_owner)s;
CREATE USER IF NOT EXISTS driftline_simulator@%(clients)s IDENTIFIED BY %(driftline_simulator)s;
CREATE USER IF NOT EXISTS driftline_eda@%(clients)s IDENTIFIED BY %(driftline_eda)s;
CREATE USER IF NOT EXISTS driftline_jobs@%(clients)s IDENTIFIED BY %(driftline_jobs)s;
CREATE USER IF NOT EXISTS driftline_monitor@%(clients)s IDENTIFIED BY %(driftline_monitor)s;
ALTER USER driftline_owner@%(clients)s IDENTIFIED BY %(driftline_owner)s;
ALTER USER driftline_simulator@%(clients)s IDENTIFIED BY %(driftline_simulator)s;
ALTER USER driftline_eda@%(clients)s IDENTIFIED BY %(driftline_eda)s;
ALTER USER driftline_jobs@%(clients)s IDENTIFIED BY %(driftline_jobs)s;
ALTER USER driftline_monitor@%(clients)s IDENTIFIED BY %(driftline_monitor)s;

-- The owner migrates.
GRANT ALL PRIVILEGES ON :database_pattern.* TO driftline_owner@%(clients)s;
GRANT ALL PRIVILEGES ON :truth_pattern.* TO driftline_owner@%(clients)s;
