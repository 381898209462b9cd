-- Short texts that all replicas share.
CREATE TABLE instance_marks (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT;
