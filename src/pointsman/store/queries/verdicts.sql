-- put_verdict --
-- Keep a verdict in place of an older one.
INSERT OR REPLACE INTO verdicts ("commit", publishes, validator, seen, body)
VALUES (:commit, :publishes, :validator, :seen, :body)

-- verdict --
-- A verdict of this validator.
SELECT "commit", publishes, seen, body FROM verdicts
WHERE "commit" = :commit AND publishes = :publishes AND validator = :validator

-- verdict_names --
-- What there are verdicts of, whoever judged.
SELECT "commit", publishes FROM verdicts

-- forget_verdict --
-- Nobody asked for it any more.
DELETE FROM verdicts WHERE "commit" = :commit AND publishes = :publishes
