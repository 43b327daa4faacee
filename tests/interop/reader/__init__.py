"""Implements `docs/format.md`, section "Overview": a reader of the artefacts."""
