-- What services have registered.
CREATE TABLE permissions (
    code TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    service TEXT COLLATE "C" NOT NULL,
    object_kind TEXT COLLATE "C",
    object_action TEXT COLLATE "C",
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (code)
);
