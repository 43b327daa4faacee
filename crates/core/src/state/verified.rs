//! Licenses that the trust in effect has verified.

use std::sync::{Mutex, PoisonError};

use crate::license::License;

/// Maximum number of licenses that are kept: an installed and a waiting one for each of a few
/// slots.
const KEPT: usize = 32;

/// Verified licenses of one state. A signature remains valid until the trust changes, and a server
/// asks often: a license that is kept is not verified again for each question.
#[derive(Debug, Default)]
pub(super) struct Verified(Mutex<Vec<License>>);

impl Verified {
    /// Returns the verified license with exactly these bytes. If there is none, calls `verify` and
    /// keeps its result.
    pub(super) fn get<E>(
        &self,
        bytes: &[u8],
        verify: impl FnOnce() -> Result<License, E>,
    ) -> Result<License, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(license) = kept.iter().find(|license| *license.bytes() == *bytes) {
            return Ok(license.clone());
        }
        let license = verify()?;
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.push(license.clone());
        Ok(license)
    }
}

impl Clone for Verified {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}
