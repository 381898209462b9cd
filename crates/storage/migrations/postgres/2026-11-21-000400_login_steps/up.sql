-- Logins that wait for the visitor, by the digest of the token that is brought back.
CREATE TABLE login_steps (
    digest BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    backend TEXT COLLATE "C" NOT NULL,
    browser BYTEA CHECK (octet_length(browser) = 32),
    sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE INDEX login_steps_by_expires_at ON login_steps (expires_at);
