"""Run folders, fingerprints, execution and editions."""
