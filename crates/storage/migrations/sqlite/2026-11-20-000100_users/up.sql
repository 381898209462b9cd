-- Accounts. The *_key columns are what names are found by; names_key is what a search looks into besides.
CREATE TABLE users (
    id BLOB NOT NULL CHECK (length(id) = 16),
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    email_verified INTEGER NOT NULL CHECK (email_verified IN (0, 1)),
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    names_key TEXT NOT NULL,
    is_active INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    is_staff INTEGER NOT NULL CHECK (is_staff IN (0, 1)),
    is_superuser INTEGER NOT NULL CHECK (is_superuser IN (0, 1)),
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    last_login_at INTEGER,
    password_changed_at INTEGER,
    password TEXT NOT NULL,
    password_scheme TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_by_created_at ON users (created_at);
CREATE INDEX users_by_last_login_at ON users (last_login_at);
CREATE INDEX users_by_password_scheme ON users (password_scheme);
CREATE INDEX users_by_is_superuser ON users (is_superuser) WHERE is_superuser = 1;
