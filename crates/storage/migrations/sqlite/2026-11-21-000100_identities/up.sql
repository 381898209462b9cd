-- Who somebody is elsewhere, and whose account here that is.
CREATE TABLE identities (
    backend TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    linked_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    groups_at INTEGER,
    PRIMARY KEY (backend, subject),
    CONSTRAINT identities_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_user_id ON identities (user_id);
