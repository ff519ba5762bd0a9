-- What the calls of all workloads stand on, made once a run.
CREATE TABLE IF NOT EXISTS lists (key text PRIMARY KEY, held bigint[] NOT NULL);
CREATE TABLE IF NOT EXISTS elements (key text, element bigint, PRIMARY KEY (key, element));
CREATE TABLE IF NOT EXISTS accounts (id text PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO accounts SELECT n::text, 10 FROM generate_series(0, 7) AS n ON CONFLICT DO NOTHING;
