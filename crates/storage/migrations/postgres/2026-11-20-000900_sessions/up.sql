-- Logins in force, by the digest of their token.
CREATE TABLE sessions (
    digest BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    user_agent TEXT COLLATE "C" NOT NULL,
    backend TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (digest),
    CONSTRAINT sessions_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX sessions_id ON sessions (id);
CREATE INDEX sessions_by_user_id_created_at ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expires_at ON sessions (expires_at);
CREATE INDEX sessions_by_last_seen_at ON sessions (last_seen_at);
