-- Accounts that wait for their owner to show that the address is theirs. They are no accounts
-- yet: they hold no name and no address against anybody.
CREATE TABLE IF NOT EXISTS `registrations` (
    `id` BINARY(16) NOT NULL,
    `username` VARCHAR(255) NOT NULL,
    `email` VARCHAR(254) NOT NULL,
    `email_key` VARBINARY(600) NOT NULL,
    `first_name` VARCHAR(150) NOT NULL,
    `last_name` VARCHAR(150) NOT NULL,
    `password` VARCHAR(1000) NOT NULL,
    `created_at` BIGINT NOT NULL,
    `expires_at` BIGINT NOT NULL,
    PRIMARY KEY (`id`),
    KEY `registrations_by_email_key_id` (`email_key`, `id`),
    KEY `registrations_by_expires_at` (`expires_at`)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
