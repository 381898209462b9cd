-- Who is in which group.
CREATE TABLE memberships (
    group_id BYTEA NOT NULL CHECK (octet_length(group_id) = 16),
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    is_manager BOOLEAN NOT NULL,
    expires_at BIGINT,
    since BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id),
    CONSTRAINT memberships_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX memberships_by_user_id ON memberships (user_id);
