-- insert_plan --
-- Keep a plan; the same plan is kept once.
INSERT INTO plans (digest, body) VALUES (:digest, :body) ON CONFLICT DO NOTHING

-- plan_body --
-- The compressed text of a plan.
SELECT body FROM plans WHERE digest = :digest

-- insert_run --
-- A new run; its number is the next one.
INSERT INTO runs (id, project, workflow, version, plan_digest, state, started_by, created_at, metadata)
VALUES (:id, :project, :workflow, :version, :plan_digest, 'pending', :started_by, :created_at, :metadata)

-- update_run --
-- The state of a run after an event, only if nobody wrote it since it was read.
UPDATE runs
SET state = :state, seq = :seq,
    started_at = coalesce(started_at, :started_at), finished_at = :finished_at
WHERE number = :number AND seq = :read_seq

-- upsert_step --
-- The row of a step that an event touched.
INSERT INTO steps (run, step, state, due, body) VALUES (:run, :step, :state, :due, :body)
ON CONFLICT (run, step) DO UPDATE SET state = excluded.state, due = excluded.due, body = excluded.body

-- insert_claim --
-- Take an attempt; fails for ever once it is taken.
INSERT INTO claims (run, step, attempt, epoch) VALUES (:run, :step, :attempt, :epoch)

-- claim_boot --
-- The epoch of an attempt's claim, and the boot of the machine in which it was made.
SELECT epoch, boot FROM claims JOIN epochs ON epochs.number = claims.epoch
WHERE run = :run AND step = :step AND attempt = :attempt

-- run_by_number --
-- One run.
SELECT * FROM runs WHERE number = :number

-- run_by_id --
-- One run by its id.
SELECT * FROM runs WHERE id = :id

-- rows_of_run --
-- The rows of a run's touched steps.
SELECT step, body FROM steps WHERE run = :run

-- list_runs --
-- Runs, newest first; each filter that is null is not applied.
SELECT * FROM runs
WHERE number < :before
  AND (:state IS NULL OR state IN (SELECT value FROM json_each(:state)))
  AND (:workflow IS NULL OR workflow = :workflow)
  AND (:started_by IS NULL OR started_by = :started_by COLLATE NOCASE)
  AND (:since IS NULL OR created_at >= :since)
  AND (:metadata IS NULL OR NOT EXISTS (
        SELECT 1 FROM json_each(:metadata) AS wanted
        WHERE NOT EXISTS (SELECT 1 FROM json_each(runs.metadata) AS has
                          WHERE has.key = wanted.key AND has.value = wanted.value)))
  AND project IN (SELECT value FROM json_each(:projects))
ORDER BY number DESC LIMIT :limit

-- open_runs --
-- Every run that has not ended, oldest first.
SELECT * FROM runs WHERE state IN ('pending', 'running', 'waiting') ORDER BY number

-- open_runs_of --
-- The runs of a workflow that have not ended, oldest first.
SELECT * FROM runs WHERE workflow = :workflow AND state IN ('pending', 'running', 'waiting') ORDER BY number

-- busy_runs --
-- Runs that hold or want a worker: what must be looked at after a start. A running stage has no attempt.
SELECT DISTINCT run FROM steps
WHERE state IN ('queued', 'running') AND (state = 'queued' OR json_extract(body, '$.attempt') > 0)
ORDER BY run

-- next_due --
-- The timers that fire first.
SELECT run, step, due FROM steps WHERE due IS NOT NULL ORDER BY due LIMIT :limit

-- open_gates --
-- Steps that wait for a decision, oldest run first.
SELECT run, step, body FROM steps WHERE state = 'waiting' ORDER BY run, step

-- counts --
-- How many runs there are in each state.
SELECT state, count(*) AS count FROM runs WHERE project IN (SELECT value FROM json_each(:projects)) GROUP BY state
