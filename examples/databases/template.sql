-- What every holder finds.
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cents INTEGER NOT NULL CHECK (cents >= 0));
CREATE TABLE sale (
    id INTEGER PRIMARY KEY,
    product INTEGER NOT NULL REFERENCES product (id),
    quantity INTEGER NOT NULL CHECK (quantity > 0)
);
INSERT INTO product (id, name, cents) VALUES (1, 'hammer', 1999), (2, 'nails', 349);
