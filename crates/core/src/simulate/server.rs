//! The server that is simulated: its machine, its clock, whether it runs.

use crate::display::shown;
use crate::entitlement::Operation;
use crate::error::{Error, Problem, Refusal, Result};
use crate::import::Imported;
use crate::judge::{Decision, Question, decide};
use crate::machine::{Class, Factor, FactorKind};
use crate::simulate::{AnswerFile, Happening, ScenarioEvent, Turn};
use crate::state::{Accepted, SlotName, State, Surroundings};
use crate::time::{DAY, Day, Instant};
use crate::wire::codec::Text;

/// A server that runs is asked at least so often: far within what its clock may be ahead of what is
/// remembered.
const IDLE: u64 = 360 * DAY;

pub(super) struct Server {
    state: State,
    slot: SlotName,
    /// The factors at the beginning.
    original: Vec<Factor>,
    around: Surroundings,
    runs: bool,
    /// When this was last brought up to date, by a clock that is right.
    now: Instant,
    /// How many things were replaced: no two get the same value.
    replaced: u32,
    boots: u32,
}

impl Server {
    /// As it is now; its clock is taken to be right.
    pub(super) fn new(state: State, slot: SlotName, around: Surroundings) -> Self {
        let (original, now) = (around.factors.clone(), around.clock);
        Self { state, slot, original, around, runs: true, now, replaced: 0, boots: 0 }
    }

    pub(super) fn clock(&self) -> Instant {
        self.around.clock
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// Time passes until `at`. A server that runs looks at its clock every day meanwhile: only so
    /// does time within the quota count, where any was spent over it.
    pub(super) fn pass(&mut self, at: Instant) {
        let mut passed = at.seconds.saturating_sub(self.now.seconds);
        let has_spent = self.state.memory().slots.iter().any(|slot| !slot.over.spent.is_empty());
        while self.runs && has_spent && passed > DAY {
            self.tick(DAY);
            self.state.observe(&self.around);
            passed = passed.saturating_sub(DAY);
        }
        self.tick(passed);
        self.now = at;
    }

    fn tick(&mut self, passed: u64) {
        self.around.clock = later(self.around.clock, passed);
        if self.runs && self.around.uptime > 0 {
            self.around.uptime = self.around.uptime.saturating_add(passed);
        }
    }

    /// Looks at the clock and the machine, judges and remembers, as a verification does; nothing
    /// while it does not run.
    pub(super) fn look(&mut self) -> Result<Option<Decision>> {
        if !self.runs {
            return Ok(None);
        }
        self.state.observe(&self.around);
        let decision = self.judge()?;
        if decision.matches() {
            self.state.matches(std::slice::from_ref(&self.slot));
        }
        Ok(Some(decision))
    }

    fn judge(&self) -> Result<Decision> {
        let found = self.state.found(&self.around)?;
        let slot = self.state.slot(Some(&self.slot.product), Some(&self.slot.slot))?;
        let here = self.around.here(&found);
        Ok(decide(self.around.clock, here, &self.state, slot))
    }

    /// The next instant at which time alone may bring something else, by a clock that is right.
    pub(super) fn next_change(&self, decision: &Decision) -> Instant {
        let tolerance = decision.license().map_or(0, |license| license.body().tolerance);
        let clock = self.state.next_clock_change(&self.around, tolerance);
        // The last moment of a license whose successor waits: what it was like then is remembered.
        let last = decision.next_license().map(|next| next.body().starts.begins().seconds);
        let last = last.map(|begins| Instant::new(begins.saturating_sub(1)));
        let judged = [decision.next_change(), last].into_iter().flatten();
        let judged = judged.filter(|at| *at > decision.judged_at());
        let ahead = judged.chain(clock).map(|at| at.seconds.saturating_sub(self.clock().seconds));
        let ahead = ahead.filter(|seconds| *seconds > 0).min().unwrap_or(IDLE).min(IDLE);
        later(self.now, ahead)
    }

    /// Something happens to it. Gives what is answered where something was asked for.
    pub(super) fn happen(&mut self, event: &ScenarioEvent) -> Result<Option<Turn>> {
        use Happening as H;
        let needs_it = matches!(
            event.what,
            H::Use(_) | H::Import(_) | H::Withdrawn(_) | H::Upgrade(_) | H::Deactivate
        );
        if needs_it && !self.runs {
            let fact =
                format!("event \"{} {}\": the server does not run then", event.at, event.what);
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "let it run again before, with \"DATE on\"",
            ));
        }
        match &event.what {
            H::NicSwap => self.replace(|f| f.kind == FactorKind::NetworkAddress),
            H::Clone => self.replace(|f| f.class == Class::Hardware),
            H::HardwareGone => self.around.factors.retain(|f| f.class != Class::Hardware),
            H::Repaired => self.around.factors = self.original.clone(),
            H::Hostname(name) => {
                let hosts = self.around.factors.iter_mut();
                hosts
                    .filter(|f| f.kind == FactorKind::Hostname)
                    .for_each(|f| f.value = name.clone());
            }
            H::Use(counts) => {
                let reported = self.state.report(&self.slot, counts, self.around.clock);
                let this = || format!("event \"{} {}\"", event.at, event.what);
                reported.map_err(|error| error.within(this()))?;
            }
            H::Import(answer) => return self.import(answer).map(Some),
            H::Upgrade(release) => return self.upgrade(*release),
            H::Withdrawn(cause) => {
                if let Some(license) = self.judge()?.license() {
                    self.state.suppose(license.body().license, *cause, self.around.clock)?;
                }
            }
            H::Deactivate => drop(self.state.deactivate(&self.slot, self.around.clock)?),
            H::Off => self.runs = false,
            H::On if self.runs => {}
            H::On => {
                self.runs = true;
                self.boots = self.boots.saturating_add(1);
                // Where boots have no names, this one has none either.
                if !self.around.boot.is_empty() {
                    self.around.boot = Text::new(&format!("simulated boot {}", self.boots))?;
                    self.around.uptime = 1;
                }
            }
            H::Clock(clock) => self.around.clock = *clock,
        }
        Ok(None)
    }

    /// What is refused changes nothing.
    fn import(&mut self, answer: &AnswerFile) -> Result<Turn> {
        let name = shown(&answer.name);
        let mut state = self.state.twin();
        let (word, about, text) = match state.import(&answer.bytes, &self.around, answer.over) {
            Ok(imported) => {
                self.state = state;
                ("imported", "", format!("{name}: {}", outcome(&imported)))
            }
            Err(error) => {
                let about = error.refusal().map_or("", Refusal::word);
                ("import-refused", about, format!("{name} is not taken in: {error}"))
            }
        };
        Ok(Turn { word, about, text })
    }

    fn upgrade(&self, release: Day) -> Result<Option<Turn>> {
        let question = Question { release: Some(release), ..Question::about(Operation::UPGRADE) };
        let refusal = self.judge()?.ask(&question).refusal();
        let about = refusal.as_ref().and_then(Error::refusal).map_or("", Refusal::word);
        let (word, text) = match refusal {
            None => ("upgrade-allowed", format!("a release of {release} may be installed")),
            Some(error) => {
                ("upgrade-refused", format!("a release of {release} may not be installed: {error}"))
            }
        };
        Ok(Some(Turn { word, about, text }))
    }

    /// These factors get values that nothing had before.
    fn replace(&mut self, which: impl Fn(&Factor) -> bool) {
        self.replaced = self.replaced.saturating_add(1);
        let count = self.replaced;
        for factor in self.around.factors.iter_mut().filter(|factor| which(factor)) {
            let value = format!("simulated {count}: {} {}", factor.kind, shown(&factor.name));
            factor.value = Text::truncated(&value);
        }
    }
}

fn outcome(imported: &Imported) -> String {
    match imported {
        Imported::License { license, accepted, .. } => match accepted {
            Accepted::Installed => "the license is taken in and counts".to_string(),
            Accepted::AsNext => {
                format!("the license is taken in and waits for {}", license.body().starts)
            }
            Accepted::Already => "the license is here already".to_string(),
        },
        Imported::Trust { trust, .. } => format!("trust {} counts", trust.body().version),
        Imported::Revocations { .. } => "these revocations count".to_string(),
        Imported::Time { time, .. } => format!("the vendor's time {time} counts"),
    }
}

fn later(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_add(seconds))
}
