-- The one row of the counter.
INSERT INTO change_counter (id, value) VALUES (1, 0);
