DROP TABLE backend_checks;
