"""Implements `docs/format.md`, `docs/judgement.md` and `docs/reports.md`: reads, judges and reports artefacts."""
