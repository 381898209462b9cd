DROP TABLE IF EXISTS `browsers`;
DROP TABLE IF EXISTS `consents`;
ALTER TABLE `registrations`
    DROP COLUMN IF EXISTS `policy`,
    DROP COLUMN IF EXISTS `confirmed_at`;
DROP TABLE IF EXISTS `invitation_groups`;
DROP TABLE IF EXISTS `invitations`;
