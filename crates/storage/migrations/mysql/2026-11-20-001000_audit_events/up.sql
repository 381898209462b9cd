-- Who did what. No foreign keys: the log outlives what it tells of.
CREATE TABLE IF NOT EXISTS `audit_events` (
    `id` BINARY(16) NOT NULL,
    `at` BIGINT NOT NULL,
    `actor_id` BINARY(16),
    `actor` MEDIUMTEXT NOT NULL,
    `address` MEDIUMTEXT NOT NULL,
    `user_agent` MEDIUMTEXT NOT NULL,
    `request_id` BINARY(16) NOT NULL,
    `action` VARBINARY(100) NOT NULL,
    `target_kind` VARBINARY(100) NOT NULL,
    `target_id` VARBINARY(400) NOT NULL,
    `target` MEDIUMTEXT NOT NULL,
    `by_right` MEDIUMTEXT NOT NULL,
    `details` MEDIUMTEXT NOT NULL,
    PRIMARY KEY (`id`),
    KEY `audit_events_by_at` (`at`),
    KEY `audit_events_by_actor_id_id` (`actor_id`, `id`),
    KEY `audit_events_by_action_id` (`action`, `id`),
    KEY `audit_events_by_target_kind_target_id_id` (`target_kind`, `target_id`, `id`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
