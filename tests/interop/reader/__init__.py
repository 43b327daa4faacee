"""A reader of the artefacts of docs/format.md: section "Overview"."""
