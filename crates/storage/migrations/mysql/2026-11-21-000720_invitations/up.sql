-- Who may come in by a link, and into which groups.
CREATE TABLE IF NOT EXISTS `invitations` (
    `id` BINARY(16) NOT NULL,
    `email` VARCHAR(254) NOT NULL,
    `email_key` VARBINARY(600) NOT NULL,
    `invited_by` BINARY(16),
    `created_at` BIGINT NOT NULL,
    `expires_at` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    KEY `invitations_by_email_key_id` (`email_key`, `id`),
    KEY `invitations_by_invited_by_id` (`invited_by`, `id`),
    KEY `invitations_by_expires_at` (`expires_at`),
    CONSTRAINT `invitations_invited_by` FOREIGN KEY (`invited_by`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
CREATE TABLE IF NOT EXISTS `invitation_groups` (
    `invitation_id` BINARY(16) NOT NULL,
    `group_id` BINARY(16) NOT NULL,
    PRIMARY KEY (`invitation_id`, `group_id`),
    KEY `invitation_groups_by_group_id` (`group_id`),
    CONSTRAINT `invitation_groups_invitation_id` FOREIGN KEY (`invitation_id`) REFERENCES `invitations` (`id`) ON DELETE CASCADE,
    CONSTRAINT `invitation_groups_group_id` FOREIGN KEY (`group_id`) REFERENCES `groups` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- When the link of a registration was used, where an administrator is asked then, and to which
-- policy its owner agreed.
-- As one statement, which happens as a whole; MySQL, unlike MariaDB, does not know
-- `ADD COLUMN IF NOT EXISTS`.
SET @change = IF(
    (SELECT COUNT(*) FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = 'registrations' AND column_name = 'confirmed_at') = 0,
    'ALTER TABLE `registrations`
    ADD COLUMN `confirmed_at` BIGINT,
    ADD COLUMN `policy` VARCHAR(50)',
    'DO 0');
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
-- To which policies people agreed.
CREATE TABLE IF NOT EXISTS `consents` (
    `user_id` BINARY(16) NOT NULL,
    `version` VARCHAR(50) NOT NULL,
    `at` BIGINT NOT NULL,
    PRIMARY KEY (`user_id`, `version`),
    CONSTRAINT `consents_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
-- From which browsers people logged in.
CREATE TABLE IF NOT EXISTS `browsers` (
    `user_id` BINARY(16) NOT NULL,
    `digest` BINARY(32) NOT NULL,
    `seen_at` BIGINT NOT NULL,
    PRIMARY KEY (`user_id`, `digest`),
    KEY `browsers_by_seen_at` (`seen_at`),
    CONSTRAINT `browsers_user_id` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
