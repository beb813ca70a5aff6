-- Ingest: runs that the daily schedule or a new installation asks for. They neither wait for a
-- cooldown nor begin one, and let runs that people ask for go first.

ALTER TABLE ingest_runs ADD COLUMN is_reconciling boolean NOT NULL DEFAULT false;
