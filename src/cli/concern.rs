//! Likely mistakes in an answer: staff see all of them, and must confirm the serious ones before
//! the answer is signed.

use serde_json::{Value, json};

use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};
use olr_office::folder::Concern;

use super::hint;
use super::terminal::{Confirmation, Terminal};

/// Asks for confirmation if a concern calls for it: the server would probably refuse the answer, or
/// its operator would send it back.
pub fn confirm(concerns: &[Concern]) -> Result<()> {
    let asking: Vec<_> = concerns.iter().filter(|concern| concern.asks()).collect();
    if asking.is_empty() {
        return Ok(());
    }
    let facts: Vec<_> = asking.iter().map(|concern| concern.fact.as_str()).collect();
    if Terminal::open().is_none() {
        let steps: Vec<_> = asking.iter().map(|concern| hint::said(&concern.next_step)).collect();
        let hint = format!("{}; or add --yes to sign this answer anyway", steps.join("; "));
        return Err(Error::unable(Problem::Usage, facts.join("; "), hint));
    }
    let hits: Vec<_> = asking.iter().map(|concern| shown(&line(concern)).into_owned()).collect();
    let (ask, deed) = ("Sign this answer anyway?", "signing this answer");
    Confirmation { hits: &hits.join("\n"), ask, deed }.confirm(false)
}

/// Formats a concern in one line, with its next step.
pub fn line(concern: &Concern) -> String {
    format!("{}; {}", concern.fact, hint::said(&concern.next_step))
}

pub fn to_json(concerns: &[Concern]) -> Value {
    let one = |concern: &Concern| {
        json!({
            "about": concern.about.word(), "fact": concern.fact,
            "next_step": hint::said(&concern.next_step),
            "refused_there": concern.refusal.map(|word| word.word()), "asks": concern.asks(),
        })
    };
    concerns.iter().map(one).collect()
}
