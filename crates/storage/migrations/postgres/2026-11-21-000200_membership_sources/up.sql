-- Which memberships come from a backend; one without a row was made by hand.
CREATE TABLE membership_sources (
    group_id BYTEA NOT NULL CHECK (octet_length(group_id) = 16),
    user_id BYTEA NOT NULL CHECK (octet_length(user_id) = 16),
    source TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (group_id, user_id, source),
    CONSTRAINT membership_sources_group_id FOREIGN KEY (group_id) REFERENCES "groups" (id) ON DELETE CASCADE,
    CONSTRAINT membership_sources_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX membership_sources_by_user_id ON membership_sources (user_id, source);
