-- Failed logins, by the digest of what was tried.
CREATE TABLE login_failures (
    key_digest BLOB NOT NULL CHECK (length(key_digest) = 32),
    since INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    PRIMARY KEY (key_digest)
) STRICT;
CREATE INDEX login_failures_by_since ON login_failures (since);
