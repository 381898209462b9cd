-- Logins that wait for the visitor, by the digest of the token that is brought back.
CREATE TABLE login_steps (
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    backend TEXT NOT NULL,
    browser BLOB CHECK (length(browser) = 32),
    sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (digest)
) STRICT;
CREATE INDEX login_steps_by_expires_at ON login_steps (expires_at);
