DROP TABLE IF EXISTS `membership_sources`;
