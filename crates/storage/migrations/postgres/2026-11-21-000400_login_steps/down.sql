DROP TABLE login_steps;
