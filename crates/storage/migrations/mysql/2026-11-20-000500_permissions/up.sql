-- What services have registered.
CREATE TABLE IF NOT EXISTS `permissions` (
    `code` VARBINARY(191) NOT NULL,
    `description` MEDIUMTEXT NOT NULL,
    `service` MEDIUMTEXT NOT NULL,
    `object_kind` VARBINARY(100),
    `object_action` VARCHAR(16),
    `registered_at` BIGINT NOT NULL,
    PRIMARY KEY (`code`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
