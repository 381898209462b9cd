-- Accounts that wait for their owner to show that the address is theirs. They are no accounts
-- yet: they hold no name and no address against anybody.
CREATE TABLE registrations (
    id BLOB NOT NULL CHECK (length(id) = 16),
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    password TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE INDEX registrations_by_email_key_id ON registrations (email_key, id);
CREATE INDEX registrations_by_expires_at ON registrations (expires_at);
