//! The trusts that a state follows, and the machine with the pins of its last request.

use crate::error::{NextStep, Refusal, Remedy, Result};
use crate::machine::Factor;
use crate::state::{State, Surroundings};

impl State {
    /// Adopts a newer trust of the same vendor. Returns `false` if it is already the current trust.
    ///
    /// # Errors
    /// Same as [`Trust::successor`](crate::trust::Trust::successor).
    pub fn follow(&mut self, bytes: &[u8]) -> Result<bool> {
        if self.trust().bytes() == bytes {
            return Ok(false);
        }
        let newer = self.trust().successor(bytes).map_err(|error| match error.refusal() {
            Some(Refusal::WrongVendor) => error.hint(NextStep::new(
                "each vendor needs its own home: name another home",
                &[Remedy::NameHome],
            )),
            Some(Refusal::Superseded) => error.hint(
                "you do not need this file: the home already has this version of the trust, or a \
                 newer one",
            ),
            _ => error,
        })?;
        self.take_up(newer)?;
        Ok(true)
    }

    /// Combines the factors found with those that the operator pinned in the last request.
    ///
    /// # Errors
    /// Exit 2 if there are more than 64 factors with weight.
    pub fn found(&self, around: &Surroundings) -> Result<Vec<Factor>> {
        let asked = self.memory().asked.as_ref();
        let pins = asked.map(|asked| asked.pins.as_ref()).unwrap_or_default();
        Ok(self.factors_with_pins(&around.factors, pins)?.into_vec())
    }
}
