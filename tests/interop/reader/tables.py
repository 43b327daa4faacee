"""Implements `docs/format.md`, section "Kinds", and the number tables of the bodies."""

from __future__ import annotations

MAGIC = b"\x89OLR"
MAX_ARTEFACT = 262_144
MAX_STATE_BODY = 2 * 1024 * 1024

REQUEST, LICENSE, RECEIPT, TRUST, REVOCATIONS, TIME, KEY_FILE, STATE, DELEGATION, PROPOSAL = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
USAGE = 11

KINDS = {
    1: "request", 2: "license", 3: "receipt", 4: "trust", 5: "revocations", 6: "time",
    7: "key file", 8: "state", 9: "delegation", 10: "proposal", 11: "usage statement",
}
KIND_NUMBERS = {word: number for number, word in KINDS.items()}
LABELS = {number: word.upper() for number, word in KINDS.items()}
SIGNATURE_LABELS = {
    1: b"olr/v1/request", 2: b"olr/v1/license", 3: b"olr/v1/receipt", 4: b"olr/v1/trust",
    5: b"olr/v1/revocations", 6: b"olr/v1/time", 9: b"olr/v1/delegation",
}

ROOT, ISSUER, SEALING, INSTALL = 1, 2, 3, 4
ROLES = {1: "root", 2: "issuer", 3: "sealing", 4: "install"}

ACTS = {1: "license", 2: "revoke", 3: "time"}
ACT_LICENSE, ACT_REVOKE, ACT_TIME = 1, 2, 3
MODELS = {1: "purchased", 2: "meter", 3: "evaluation", 4: "pool"}
EDITIONS = {1: "standard", 2: "oem"}
CAUSES = {1: "expired", 2: "over-quota", 3: "conflict", 4: "revoked", 5: "pooled", 6: "upgraded", 7: "maintenance", 8: "drift", 9: "clock"}
CAUSES_OF_LICENSES = range(1, 7)
EXPIRED, OVER_QUOTA, CONFLICT, REVOKED, POOLED, UPGRADED = 1, 2, 3, 4, 5, 6
OUTCOMES = {1: "stop", 2: "block", 3: "warn"}
STOP, BLOCK, WARN = 1, 2, 3
BUILT_IN = frozenset({"run", "update-license", "upgrade"})
MAX_OPERATIONS = 61
UPDATE_LICENSE = "update-license"
STAGES = {
    1: "30-days-left", 2: "7-days-left", 3: "1-day-left", 4: "grace", 5: "countdown", 6: "ended", 7: "solved",
}
LISTENERS = {1: "product", 2: "operator"}

HARDWARE, IMAGE, COMMON = 1, 2, 3
CLASSES = {1: "hardware", 2: "image", 3: "common"}
FACTORS = {
    1: "machine-id", 2: "product-uuid", 3: "product-serial", 4: "board-serial",
    5: "network-address", 6: "filesystem", 7: "hostname", 8: "pin", 9: "cpu", 10: "container",
    11: "cloud-instance", 12: "tpm", 13: "disk-serial", 14: "product-name", 15: "platform-uuid",
    16: "hypervisor",
}
PIN = 8
# The classes that a factor of each kind may have, besides *common*, which every kind may have.
CLASSES_OF_FACTOR = {
    1: {IMAGE}, 2: {HARDWARE}, 3: {HARDWARE, IMAGE}, 4: {HARDWARE, IMAGE}, 5: {HARDWARE}, 6: {IMAGE}, 7: {IMAGE},
    8: {IMAGE}, 9: set(), 10: set(), 11: {HARDWARE}, 12: {HARDWARE}, 13: {HARDWARE}, 14: set(), 15: {HARDWARE}, 16: set(),
}
