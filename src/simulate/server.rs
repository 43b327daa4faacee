//! The server that is simulated: its machine, its clock, whether it runs.

use crate::display::shown;
use crate::error::Result;
use crate::machine::{Class, Factor, FactorKind};
use crate::policy::{Decision, decide};
use crate::simulate::Happening;
use crate::state::{SlotName, State, Surroundings};
use crate::time::Instant;
use crate::wire::codec::Text;

/// A server that runs is asked at least so often: far within what its clock may be ahead of what is
/// remembered.
const IDLE: u64 = 360 * 86_400;

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

    /// Time passes until `at`.
    pub(super) fn pass(&mut self, at: Instant) {
        let passed = at.seconds.saturating_sub(self.now.seconds);
        self.around.clock = later(self.around.clock, passed);
        if self.runs && self.around.uptime > 0 {
            self.around.uptime = self.around.uptime.saturating_add(passed);
        }
        self.now = at;
    }

    /// Looks at the clock and the machine, judges and remembers, as a verification does; nothing
    /// while it does not run.
    pub(super) fn look(&mut self) -> Result<Option<Decision>> {
        if !self.runs {
            return Ok(None);
        }
        self.state.observe(&self.around);
        let found = self.state.found(&self.around)?;
        let slot = self.state.slot(Some(&self.slot.product), Some(&self.slot.slot))?;
        let decision = decide(self.around.clock, &found, &self.state, slot);
        if decision.matches() {
            self.state.matches(std::slice::from_ref(&self.slot))?;
        }
        Ok(Some(decision))
    }

    /// The next instant at which time alone may bring something else, by a clock that is right.
    pub(super) fn next_change(&self, decision: &Decision) -> Instant {
        let tolerance = decision.license.as_ref().map_or(0, |license| license.body().tolerance);
        let clock = self.state.next_clock_change(&self.around, tolerance);
        // The last moment of a license whose successor waits: what it was like then is remembered.
        let last = decision.next.as_ref().map(|next| next.body().starts.begins().seconds);
        let last = last.map(|begins| Instant::new(begins.saturating_sub(1)));
        let is_doubted = self.state.is_pending(self.around.clock);
        let judged = [decision.next_change(), last].into_iter().flatten();
        let judged = judged.filter(|at| !is_doubted && *at > decision.at);
        let ahead = judged.chain(clock).map(|at| at.seconds.saturating_sub(self.clock().seconds));
        let ahead = ahead.filter(|seconds| *seconds > 0).min().unwrap_or(IDLE).min(IDLE);
        later(self.now, ahead)
    }

    /// Something happens to it.
    pub(super) fn happen(&mut self, what: &Happening) -> Result<()> {
        match what {
            Happening::NicSwap => self.replace(|f| f.kind == FactorKind::NetworkAddress),
            Happening::Clone => self.replace(|f| f.class == Class::Hardware),
            Happening::HardwareGone => self.around.factors.retain(|f| f.class != Class::Hardware),
            Happening::Repaired => self.around.factors = self.original.clone(),
            Happening::Hostname(name) => {
                let hosts = self.around.factors.iter_mut();
                hosts
                    .filter(|f| f.kind == FactorKind::Hostname)
                    .for_each(|f| f.value = name.clone());
            }
            Happening::Use(counts) => {
                self.state.report(&self.slot, counts, self.around.clock)?;
            }
            Happening::Off => self.runs = false,
            Happening::On if self.runs => {}
            Happening::On => {
                self.runs = true;
                self.boots = self.boots.saturating_add(1);
                // Where boots have no names, this one has none either.
                if !self.around.boot.is_empty() {
                    self.around.boot = Text::new(&format!("simulated boot {}", self.boots))?;
                    self.around.uptime = 1;
                }
            }
            Happening::Clock(clock) => self.around.clock = *clock,
        }
        Ok(())
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

fn later(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_add(seconds))
}
