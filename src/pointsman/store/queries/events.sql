-- insert_event --
-- Add one record to the log.
INSERT INTO events (run, seq, at, type, actor, step, cause, project, body)
VALUES (:run, :seq, :at, :type, :actor, :step, :cause, :project, :body)

-- events_of_run --
-- A run's log after a sequence number, in order.
SELECT * FROM events WHERE run = :run AND seq > :after ORDER BY seq LIMIT :limit

-- list_events --
-- The log over everything, newest first; each filter that is null is not applied.
SELECT * FROM events
WHERE id < :before
  AND (:type IS NULL OR type = :type)
  AND (:actor IS NULL OR actor = :actor COLLATE NOCASE)
  AND (:since IS NULL OR at >= :since)
  AND project IN (SELECT value FROM json_each(:projects))
ORDER BY id DESC LIMIT :limit

-- last_event --
-- The number of the newest record.
SELECT coalesce(max(id), 0) AS id FROM events
