-- One row: the number of the last change. Its lock puts changes of rights in order.
CREATE TABLE change_counter (
    id SMALLINT NOT NULL CHECK (id = 1),
    value BIGINT NOT NULL,
    PRIMARY KEY (id)
);
