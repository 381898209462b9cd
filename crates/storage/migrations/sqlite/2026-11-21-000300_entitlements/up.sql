-- When a backend last let somebody in whom another one had verified.
CREATE TABLE entitlements (
    backend TEXT NOT NULL,
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    at INTEGER NOT NULL,
    PRIMARY KEY (backend, user_id),
    CONSTRAINT entitlements_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX entitlements_by_user_id ON entitlements (user_id);
