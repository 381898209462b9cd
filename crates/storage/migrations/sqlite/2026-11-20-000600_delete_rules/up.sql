-- Kinds of objects whose deletion has a rule of its own.
CREATE TABLE delete_rules (
    object_kind TEXT NOT NULL,
    delete_rule TEXT NOT NULL,
    PRIMARY KEY (object_kind)
) STRICT;
