-- Who may come in by a link, and into which groups.
CREATE TABLE invitations (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    email TEXT COLLATE "C" NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL,
    invited_by BYTEA CHECK (octet_length(invited_by) = 16),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT invitations_invited_by FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX invitations_by_email_key_id ON invitations (email_key, id);
CREATE INDEX invitations_by_invited_by_id ON invitations (invited_by, id);
CREATE INDEX invitations_by_expires_at ON invitations (expires_at);
CREATE TABLE invitation_groups (
    invitation_id BYTEA NOT NULL CHECK (octet_length(invitation_id) = 16),
    group_id BYTEA NOT NULL CHECK (octet_length(group_id) = 16),
    PRIMARY KEY (invitation_id, group_id),
    CONSTRAINT invitation_groups_invitation_id FOREIGN KEY (invitation_id) REFERENCES invitations (id) ON DELETE CASCADE,
    CONSTRAINT invitation_groups_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE
);
CREATE INDEX invitation_groups_by_group_id ON invitation_groups (group_id);
-- When the link of a registration was used, where an administrator is asked then, and to which
-- policy its owner agreed.
ALTER TABLE registrations ADD COLUMN confirmed_at BIGINT;
ALTER TABLE registrations ADD COLUMN policy TEXT COLLATE "C";
-- To which policies people agreed.
CREATE TABLE consents (
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    version TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (user_id, version),
    CONSTRAINT consents_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
-- From which browsers people logged in.
CREATE TABLE browsers (
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    digest BYTEA NOT NULL CHECK (octet_length(digest) = 32),
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, digest),
    CONSTRAINT browsers_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX browsers_by_seen_at ON browsers (seen_at);
