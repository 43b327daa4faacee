//! Bytes: frames, bodies, armor. Knows no cryptography and no files.
//! Obeys `docs/format.md`, sections "Frame", "Bodies" and "Armor".

pub mod codec;
pub mod extension;
pub mod frame;
pub mod id;
pub mod reader;
