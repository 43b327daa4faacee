//! Bytes: frames, bodies and identifiers. This module uses neither cryptography nor files.
//! Implements `docs/format.md`, sections "Frame" and "Bodies".

pub mod codec;
pub mod extension;
pub mod frame;
pub mod id;
pub mod reader;
