-- One row: the number of the last change. Its lock puts changes of rights in order.
CREATE TABLE change_counter (
    id INTEGER NOT NULL CHECK (id = 1),
    value INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
