-- Ingest: the schema in which the job queue keeps its own tables.

CREATE SCHEMA ingest_jobs;
GRANT USAGE ON SCHEMA ingest_jobs TO laurel_ingest;
