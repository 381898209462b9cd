-- Who may come in by a link, and into which groups.
CREATE TABLE invitations (
    id BLOB NOT NULL CHECK (length(id) = 16),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    invited_by BLOB CHECK (length(invited_by) = 16),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT invitations_invited_by FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX invitations_by_email_key_id ON invitations (email_key, id);
CREATE INDEX invitations_by_invited_by_id ON invitations (invited_by, id);
CREATE INDEX invitations_by_expires_at ON invitations (expires_at);
CREATE TABLE invitation_groups (
    invitation_id BLOB NOT NULL CHECK (length(invitation_id) = 16),
    group_id BLOB NOT NULL CHECK (length(group_id) = 16),
    PRIMARY KEY (invitation_id, group_id),
    CONSTRAINT invitation_groups_invitation_id FOREIGN KEY (invitation_id) REFERENCES invitations (id) ON DELETE CASCADE,
    CONSTRAINT invitation_groups_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_groups_by_group_id ON invitation_groups (group_id);
-- When the link of a registration was used, where an administrator is asked then, and to which
-- policy its owner agreed.
ALTER TABLE registrations ADD COLUMN confirmed_at INTEGER;
ALTER TABLE registrations ADD COLUMN policy TEXT;
-- To which policies people agreed.
CREATE TABLE consents (
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    version TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (user_id, version),
    CONSTRAINT consents_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
-- From which browsers people logged in.
CREATE TABLE browsers (
    user_id BLOB NOT NULL CHECK (length(user_id) = 16),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, digest),
    CONSTRAINT browsers_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX browsers_by_seen_at ON browsers (seen_at);
