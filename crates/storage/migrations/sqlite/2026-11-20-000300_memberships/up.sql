-- Who is in which group.
CREATE TABLE memberships (
    group_id BLOB NOT NULL CHECK (length(group_id) = 16),
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    is_manager INTEGER NOT NULL CHECK (is_manager IN (0, 1)),
    expires_at INTEGER,
    since INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id),
    CONSTRAINT memberships_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user_id ON memberships (user_id);
