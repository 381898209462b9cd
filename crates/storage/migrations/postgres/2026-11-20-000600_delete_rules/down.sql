DROP TABLE delete_rules;
