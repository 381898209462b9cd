-- Short texts that all replicas share.
CREATE TABLE IF NOT EXISTS `instance_marks` (
    `name` VARBINARY(100) NOT NULL,
    `value` MEDIUMTEXT NOT NULL,
    PRIMARY KEY (`name`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
