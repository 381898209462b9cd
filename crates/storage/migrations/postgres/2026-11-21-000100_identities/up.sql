-- Who somebody is elsewhere, and whose account here that is.
CREATE TABLE identities (
    backend TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    linked_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    groups_at BIGINT,
    PRIMARY KEY (backend, subject),
    CONSTRAINT identities_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX identities_by_user_id ON identities (user_id);
