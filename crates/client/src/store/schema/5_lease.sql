-- Grows each time somebody begins to write down what a stream says; those who did before are over.
ALTER TABLE sync ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
