-- The user of one service on the local server, and where its clients connect from: run as root at every `make up`.
CREATE USER IF NOT EXISTS %(account)s@%(clients)s IDENTIFIED BY %(password)s;
ALTER USER %(account)s@%(clients)s IDENTIFIED BY %(password)s;
