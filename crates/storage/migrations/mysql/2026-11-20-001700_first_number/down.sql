DELETE FROM change_counter;
