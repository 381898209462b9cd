-- By what a backend knows the session there that a session here came from.
CREATE TABLE upstream_sessions (
    session_id BLOB NOT NULL CHECK (length(session_id) = 16),
    backend TEXT NOT NULL,
    sid TEXT NOT NULL,
    PRIMARY KEY (session_id),
    CONSTRAINT upstream_sessions_session_id FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX upstream_sessions_by_backend_sid ON upstream_sessions (backend, sid);
