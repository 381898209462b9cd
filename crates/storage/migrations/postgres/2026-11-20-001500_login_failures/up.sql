-- Failed logins, by the digest of what was tried.
CREATE TABLE login_failures (
    key_digest BYTEA NOT NULL CHECK (octet_length(key_digest) = 32),
    since BIGINT NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (key_digest)
);
CREATE INDEX login_failures_by_since ON login_failures (since);
