//! Output of decisions, shared by the verbs that judge.

use serde_json::Value;

use olr_core::error::{Error, Refusal};
use olr_core::judge::{ClockMemory, Decision};
use olr_core::machine::Assessment;
use olr_core::report::{DecisionReport, MachineReport, NextReport};

use super::output::Output;
use super::{hint, show};

/// Returns further remarks: about a clock that is far ahead, about a home that cannot be written,
/// and about an end that is near while the headline is a refusal or a grace period.
pub fn remarks(decision: &Decision) -> Vec<String> {
    let near =
        decision.near_end().filter(|_| decision.refusal().is_some() || decision.grace().is_some());
    let pending = decision.remembered().map(|remembered| {
        let step = match decision.awaits_time() {
            true => "send the file of your newest request to your vendor (if it is lost, run `olr request` again)",
            false => "run `olr request`",
        };
        format!(
            "The clock ({}) is far ahead of the latest time recorded here ({}). For now, \
             licenses expire by the clock but start by the recorded time. If the clock is right, \
             {step} and import the time.olr that your vendor sends back.",
            decision.judged_at(), remembered.judged_at()
        )
    });
    let off = (decision.clock_memory() == ClockMemory::Off).then(|| {
        "The home could not be written, so olr may not notice a clock that was set back: check \
         whether another process is using the home, its permissions, and the free disk space."
            .to_string()
    });
    pending.into_iter().chain(off).chain(near.as_ref().map(hint::headline)).collect()
}

/// Returns the JSON of `machine`.
pub fn machine_json(machine: &Assessment) -> Value {
    show::json(&MachineReport::from(machine))
}

/// Lists each factor. In a grace period, adds the next step; a refusal prints it separately.
fn mismatch(machine: &Assessment, in_grace: bool) -> String {
    let table = show::lines(&machine.lines, true);
    if in_grace { format!("{table}\nnext: {}", what_to_do(machine)) } else { table }
}

/// Returns what to do about a machine that has changed; empty if it has not.
pub fn what_to_do(machine: &Assessment) -> String {
    machine.next_step().as_ref().map(hint::said).unwrap_or_default()
}

/// Returns the JSON of the next event.
pub fn next_json(decision: &Decision) -> Value {
    show::json(&decision.comes_next().as_ref().map(NextReport::from))
}

/// Returns the output of a decision, with the words and exit status of its refusal, if any.
pub fn report(decision: &Decision, mut text: String) -> Output {
    let refusal = decision.refusal();
    if let Some(machine) = decision.machine() {
        let is_about_it = decision.grace().is_some()
            || refusal.and_then(Error::refusal) == Some(Refusal::WrongMachine);
        if !machine.matches() && is_about_it {
            let gap = if text.is_empty() { "" } else { "\n\n" };
            text += &format!("{gap}{}", mismatch(machine, decision.grace().is_some()));
        }
    }
    let mut report = Output::new(text, show::json(&DecisionReport::new(decision, hint::said)));
    if let Some(refusal) = refusal {
        let lines = [
            report.text.clone(),
            format!("refused: {refusal}"),
            format!("hint: {}", hint::said(refusal.next_step())),
        ];
        report.text =
            lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
        report = report.refused(refusal);
    }
    report
}
