-- Kinds of objects whose deletion has a rule of its own.
CREATE TABLE delete_rules (
    object_kind TEXT COLLATE "C" NOT NULL,
    delete_rule TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (object_kind)
);
