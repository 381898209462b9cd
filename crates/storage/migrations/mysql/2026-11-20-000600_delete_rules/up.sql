-- Kinds of objects whose deletion has a rule of its own.
CREATE TABLE IF NOT EXISTS `delete_rules` (
    `object_kind` VARBINARY(100) NOT NULL,
    `delete_rule` VARCHAR(16) NOT NULL,
    PRIMARY KEY (`object_kind`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
