-- Accounts. The *_key columns are what names are found by; names_key is what a search looks into besides.
CREATE TABLE users (
    id BYTEA NOT NULL CHECK (octet_length(id) = 16),
    username TEXT COLLATE "C" NOT NULL,
    username_key TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    email_key TEXT COLLATE "C",
    email_verified BOOLEAN NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL,
    last_name TEXT COLLATE "C" NOT NULL,
    names_key TEXT COLLATE "C" NOT NULL,
    is_active BOOLEAN NOT NULL,
    is_staff BOOLEAN NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    last_login_at BIGINT,
    password_changed_at BIGINT,
    password TEXT COLLATE "C" NOT NULL,
    password_scheme TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_email_key ON users (email_key NULLS FIRST);
CREATE INDEX users_by_created_at ON users (created_at);
CREATE INDEX users_by_last_login_at ON users (last_login_at NULLS FIRST);
CREATE INDEX users_by_password_scheme ON users (password_scheme);
CREATE INDEX users_by_is_superuser ON users (is_superuser) WHERE is_superuser;
