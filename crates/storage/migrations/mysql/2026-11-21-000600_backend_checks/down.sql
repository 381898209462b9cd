DROP TABLE IF EXISTS `backend_checks`;
