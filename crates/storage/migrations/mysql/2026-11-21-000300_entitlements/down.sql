DROP TABLE IF EXISTS `entitlements`;
