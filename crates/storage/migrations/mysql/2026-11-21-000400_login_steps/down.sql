DROP TABLE IF EXISTS `login_steps`;
