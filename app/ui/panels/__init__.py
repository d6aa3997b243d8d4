"""One file per panel; panels meet only in ParamStore, JobQueue and Document."""
