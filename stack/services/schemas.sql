-- The two schemas: what the services work on, and the truth about injected drift.
CREATE DATABASE IF NOT EXISTS :database CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE IF NOT EXISTS :truth CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
