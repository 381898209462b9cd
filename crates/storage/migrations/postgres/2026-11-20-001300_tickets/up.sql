-- One-time links, by the digest of their token.
CREATE TABLE tickets (
    digest BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    purpose TEXT COLLATE "C" NOT NULL,
    user_id BYTEA CHECK (octet_length(user_id) = 16),
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (digest),
    CONSTRAINT tickets_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX tickets_by_purpose ON tickets (purpose);
CREATE INDEX tickets_by_user_id ON tickets (user_id);
CREATE INDEX tickets_by_expires_at ON tickets (expires_at);
