-- user --
-- A local user by the caseless form of the name.
SELECT name, password_hash FROM users WHERE key = :key

-- users --
-- All local users.
SELECT name, password_hash FROM users ORDER BY key

-- insert_user --
-- Add a local user.
INSERT INTO users (key, name, password_hash) VALUES (:key, :name, :password_hash)

-- save_token --
-- Keep the digest of an API token, or what became of it.
INSERT INTO tokens (id, digest, user, expires_at, revoked) VALUES (:id, :digest, :user, :expires_at, :revoked)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, revoked = excluded.revoked

-- token --
-- A token by its public part.
SELECT id, digest, user, expires_at, revoked FROM tokens WHERE id = :id

-- insert_session --
-- Keep the digest of a new session.
INSERT INTO sessions (digest, user, created_at, seen_at) VALUES (:digest, :user, :created_at, :seen_at)

-- session --
-- A session by its digest.
SELECT digest, user, created_at, seen_at FROM sessions WHERE digest = :digest

-- touch_session --
-- The session was used.
UPDATE sessions SET seen_at = :seen_at WHERE digest = :digest

-- delete_session --
-- The session is over.
DELETE FROM sessions WHERE digest = :digest

-- delete_old_sessions --
-- Forget the sessions that nobody can use any more.
DELETE FROM sessions WHERE created_at < :before

-- answer --
-- What a request with this key was answered.
SELECT asked, status, body FROM answers WHERE actor = :actor AND key = :key

-- insert_answer --
-- Remember an answer.
INSERT INTO answers (actor, key, asked, at, status, body)
VALUES (:actor, :key, :asked, :at, :status, :body) ON CONFLICT DO NOTHING

-- delete_old_answers --
-- Forget answers that nobody will ask for again.
DELETE FROM answers WHERE at < :before
