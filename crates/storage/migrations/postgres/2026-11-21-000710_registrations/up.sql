-- Accounts that wait for their owner to show that the address is theirs. They are no accounts
-- yet: they hold no name and no address against anybody.
CREATE TABLE registrations (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    username TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    password TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX registrations_by_email_key_id ON registrations (email_key, id);
CREATE INDEX registrations_by_expires_at ON registrations (expires_at);
