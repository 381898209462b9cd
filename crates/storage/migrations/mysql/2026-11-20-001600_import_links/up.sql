-- Which foreign row became which of ours.
CREATE TABLE IF NOT EXISTS `import_links` (
    `source` VARBINARY(255) NOT NULL,
    `kind` VARBINARY(40) NOT NULL,
    `foreign_key` VARBINARY(500) NOT NULL,
    `local_id` BINARY(16) NOT NULL,
    `fingerprint` BINARY(32) NOT NULL,
    PRIMARY KEY (`source`, `kind`, `foreign_key`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
