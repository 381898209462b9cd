-- When a backend was last asked about somebody by ourselves, and since when it could not tell.
CREATE TABLE backend_checks (
    backend TEXT NOT NULL,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    checked_at INTEGER NOT NULL,
    stale_since INTEGER,
    PRIMARY KEY (backend, user_id),
    CONSTRAINT backend_checks_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX backend_checks_by_user_id ON backend_checks (user_id);
