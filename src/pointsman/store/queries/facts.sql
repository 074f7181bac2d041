-- fact --
-- One remembered fact.
SELECT value FROM facts WHERE name = :name

-- insert_fact --
-- Remember a fact; the first value stays.
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING

-- insert_epoch --
-- The daemon starts: a new epoch.
INSERT INTO epochs (started_at, boot) VALUES (:started_at, :boot)
