//! The simulated server: its machine, its clock, and whether it is running.

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

/// Maximum time between two decisions of a running server. Well below the 400 days by which a clock
/// may be ahead of the high-water mark without confirmation.
const IDLE: u64 = 360 * DAY;

pub(super) struct Server {
    state: State,
    slot: SlotName,
    /// Factors at the beginning.
    original: Vec<Factor>,
    around: Surroundings,
    runs: bool,
    /// Instant up to which the server was simulated, in true time.
    now: Instant,
    /// Number of replacements, so that every replaced factor gets another value.
    replaced: u32,
    boots: u32,
}

impl Server {
    /// Creates a server in its current state. Its clock is assumed to be correct.
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

    /// Lets time pass until `at`. If time over the quota has accumulated, a running server observes
    /// its clock every day: a longer jump would not count fully as time within the quota.
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

    /// Observes the clock and the machine, decides, and records the result, like a verification.
    /// Returns `None` while the server is not running.
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

    /// Returns the next instant, in true time, at which time alone may change something.
    pub(super) fn next_change(&self, decision: &Decision) -> Instant {
        let tolerance = decision.license().map_or(0, |license| license.body().tolerance);
        let clock = self.state.next_clock_change(&self.around, tolerance);
        // Also the last second before a successor takes over, so that the state until then is
        // recorded.
        let last = decision.next_license().map(|next| next.body().starts.begins().seconds);
        let last = last.map(|begins| Instant::new(begins.saturating_sub(1)));
        let judged = [decision.next_change(), last].into_iter().flatten();
        let judged = judged.filter(|at| *at > decision.judged_at());
        let ahead = judged.chain(clock).map(|at| at.seconds.saturating_sub(self.clock().seconds));
        let ahead = ahead.filter(|seconds| *seconds > 0).min().unwrap_or(IDLE).min(IDLE);
        later(self.now, ahead)
    }

    /// Applies an event. Returns the result of an import or of an upgrade.
    pub(super) fn happen(&mut self, event: &ScenarioEvent) -> Result<Option<Turn>> {
        use Happening as H;
        let needs_it = matches!(
            event.what,
            H::Use(_) | H::Import(_) | H::Withdrawn(_) | H::Upgrade(_) | H::Deactivate
        );
        if needs_it && !self.runs {
            let fact = format!(
                "event \"{} {}\": the server is switched off at that time",
                event.at, event.what
            );
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "switch the server on before that event, with \"DATE on\"",
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
                // A system without boot ids does not have one here either.
                if !self.around.boot.is_empty() {
                    self.around.boot = Text::new(&format!("simulated boot {}", self.boots))?;
                    self.around.uptime = 1;
                }
            }
            H::Clock(clock) => self.around.clock = *clock,
        }
        Ok(None)
    }

    /// Imports a file. A refused file changes nothing.
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
                ("import-refused", about, format!("{name} is not imported: {error}"))
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

    /// Gives these factors values that no factor had before.
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
            Accepted::Installed => "the license is installed and in effect".to_string(),
            Accepted::AsNext => {
                format!("the license is imported and takes effect on {}", license.body().starts)
            }
            Accepted::Already => "the license was already imported".to_string(),
        },
        Imported::Trust { trust, .. } => format!("trust {} is now in effect", trust.body().version),
        Imported::Revocations { .. } => "these revocations are now in effect".to_string(),
        Imported::Time { time, .. } => format!("the vendor's time {time} is now recorded"),
    }
}

fn later(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_add(seconds))
}
