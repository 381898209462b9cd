-- Short texts that all replicas share.
CREATE TABLE instance_marks (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (name)
);
