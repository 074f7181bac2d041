-- insert_version --
-- Enter a version into the ledger; one that is there already stays as it is.
INSERT INTO ledger (workflow, version, shown, tag, tag_object, "commit", tagger, first_seen)
VALUES (:workflow, :version, :shown, :tag, :tag_object, :commit, :tagger, :first_seen) ON CONFLICT DO NOTHING

-- ledger --
-- Every version that was ever found valid.
SELECT * FROM ledger ORDER BY workflow, first_seen

-- insert_alarm --
-- Note what is wrong with a tag; nothing happens if that was noted before.
INSERT INTO alarms (tag, found, at) VALUES (:tag, :found, :at) ON CONFLICT DO NOTHING

-- clear_alarms --
-- The tag stands again where the ledger says.
DELETE FROM alarms WHERE tag = :tag

-- alarms --
-- What is wrong with which tags.
SELECT tag, found FROM alarms ORDER BY tag
