-- The one row of the counter.
INSERT IGNORE INTO change_counter (id, value) VALUES (1, 0);
