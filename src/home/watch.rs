//! Decisions, and the events that tell people of their changes.

use crate::home::{Home, Session, Wait};
use olr_core::entitlement::Cause;
use olr_core::error::Result;
use olr_core::judge::{Decision, Grace, WARNINGS};
use olr_core::license::License;
use olr_core::state::{
    ActiveCause, Announced, Event, Listener, SlotName, Stage, State, Surroundings,
};
use olr_core::time::{Day, Instant};
use olr_core::wire::id::EventId;

/// Seconds during which a drift that was resolved is not announced again.
const DRIFT_RESTS: u64 = 3600;

/// Decisions for all slots, and the events that a listener has not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Decision for each slot.
    pub decisions: Vec<(SlotName, Decision)>,
    /// Events that the listener has not acknowledged, oldest first.
    pub events: Vec<Event>,
}

impl Home {
    /// Judges all slots, remembers what changed, and returns what `listener` has not acknowledged.
    /// New events that cannot be stored are an error here: they could not be acknowledged either,
    /// and would be delivered in every round. With `only_look`, new events are not stored.
    ///
    /// # Errors
    /// See [`Home::decide_all`]; exit 2 if new events cannot be stored.
    pub fn news(&self, around: &Surroundings, listener: Listener, only_look: bool) -> Result<News> {
        let mut session = self.require()?;
        let decisions = session.decide_all(around)?;
        let told = || decisions.iter().map(|(name, decision)| (name, decision));
        if announce_all(&mut session.state, told())? && !only_look {
            session.claim(Wait::Long)?;
            session.store_news(told())?;
        }
        let events = session.stored().unheard(listener).cloned().collect();
        Ok(News { decisions, events })
    }

    /// Remembers that `listener` has delivered these events.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`. Exit 2 if the home cannot be read or written to, or if
    /// another process holds its lock.
    pub fn acknowledge(&self, listener: Listener, events: &[EventId]) -> Result<()> {
        self.require()?.acknowledge(Wait::Long, listener, events)
    }
}

impl Session<'_> {
    /// Like [`Home::decide`], and adds events to the state for changes since the last such call.
    /// Also returns whether the home has stored them: another process may hold the lock.
    pub fn watch(
        &mut self,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(Decision, bool)> {
        let decision = self.decide(product, slot, around)?;
        let name = self.state.slot(product, slot)?.name.clone();
        // Events that cannot be stored are delivered anyway, and again after a restart.
        let told = || [(&name, &decision)].into_iter();
        let is_stored = !announce_all(&mut self.state, told())?
            || (self.claim(Wait::Short).is_ok() && self.store_news(told()).is_ok());
        Ok((decision, is_stored))
    }

    /// Stores the events of these decisions; the state in use already holds them.
    fn store_news<'d>(
        &mut self,
        told: impl Iterator<Item = (&'d SlotName, &'d Decision)>,
    ) -> Result<()> {
        match self.stored.as_mut().map_or(Ok(true), |stored| announce_all(stored, told))? {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// See [`Home::acknowledge`].
    ///
    /// # Errors
    /// See [`Home::acknowledge`].
    pub fn acknowledge(
        &mut self,
        wait: Wait,
        listener: Listener,
        events: &[EventId],
    ) -> Result<()> {
        self.claim_newest(wait)?;
        if self.state.acknowledge(listener, events)? { self.save() } else { Ok(()) }
    }
}

/// Adds the new events of these decisions. Returns whether there are any.
fn announce_all<'d>(
    state: &mut State,
    told: impl Iterator<Item = (&'d SlotName, &'d Decision)>,
) -> Result<bool> {
    let mut is_new = false;
    for (name, decision) in told {
        is_new |= announce(state, name, decision)?;
    }
    Ok(is_new)
}

/// Adds the new events of `decision`. Returns whether there are any.
fn announce(state: &mut State, name: &SlotName, decision: &Decision) -> Result<bool> {
    let Some(license) = decision.license() else { return Ok(false) };
    let slot = state.memory().slots.get(name);
    let drift = slot.and_then(|slot| slot.announced.get(&Cause::Drift));
    let standing = standing(decision, license, drift);
    state.announce(name, license.body().license, decision.told().judged_at(), &standing)
}

/// Returns every condition that people should know of, each cause once: the causes in the decision,
/// drift, and the clock if it is implausibly far ahead. In that case, the causes are those of the
/// decision at the remembered time.
fn standing(decision: &Decision, license: &License, drift: Option<&Announced>) -> Vec<ActiveCause> {
    let mut all = standing_at(decision.told());
    all.extend(drifting(decision, license, drift));
    all.extend(decision.remembered().map(|remembered| ActiveCause {
        cause: Cause::Clock,
        stage: Stage::Grace,
        since: remembered.judged_at(),
        until: None,
        fact: format!(
            "the clock says {}, but the latest known time is {}; if the clock is wrong, set it; \
             if it is right, make a request, have your vendor answer it with a time, and import \
             the answer",
            decision.judged_at(),
            remembered.judged_at()
        ),
    }));
    all
}

/// Describes a grace period, and what is left of it if several overuses share its time.
fn fact(grace: &Grace, at: Instant) -> String {
    let fact = grace.overlooked.to_string();
    let (Some(adds_up), Some(until)) = (grace.adds_up, grace.until) else { return fact };
    let left = until.seconds.saturating_sub(at.seconds);
    let minutes = left.div_ceil(60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!(
        "{fact}; {hours} h {minutes} min of the grace period are left, counting all overuse since {adds_up}"
    )
}

fn standing_at(decision: &Decision) -> Vec<ActiveCause> {
    let mut all: Vec<ActiveCause> = Vec::new();
    let ended = decision.ended().iter().map(|grace| (grace, true));
    for (grace, has_ended) in ended.chain(decision.graces().iter().map(|grace| (grace, false))) {
        let stage = match (has_ended, grace.counts_down(decision.judged_at())) {
            (true, _) => Stage::Ended,
            (false, true) => Stage::Countdown,
            (false, false) => Stage::Grace,
        };
        if !all.iter().any(|standing| standing.cause == grace.cause) {
            all.push(ActiveCause {
                cause: grace.cause,
                stage,
                since: grace.since,
                until: grace.until.filter(|_| !has_ended),
                fact: fact(grace, decision.judged_at()),
            });
        }
    }
    all.extend(expiring(decision).filter(|_| !all.iter().any(|s| s.cause == Cause::Expired)));
    all.extend(maintenance(decision));
    all
}

/// Returns the drift of a machine that still matches. Once announced, drift lasts until every
/// enrolled factor is as it was: an unreadable factor or a conflict does not resolve it. A resolved
/// drift is not announced again for [`DRIFT_RESTS`].
fn drifting(
    decision: &Decision,
    license: &License,
    announced: Option<&Announced>,
) -> Option<ActiveCause> {
    let machine = decision.machine().filter(|machine| !machine.drift().is_empty())?;
    let lasts = announced.is_some_and(|announced| announced.stage != Stage::Solved);
    let rests = announced.filter(|_| !lasts).is_some_and(|solved| {
        decision.told().judged_at().seconds < solved.since.seconds.saturating_add(DRIFT_RESTS)
    });
    (lasts || (machine.has_drifted() && !rests)).then(|| ActiveCause {
        cause: Cause::Drift,
        stage: Stage::Grace,
        since: announced.map_or(license.body().issued, |announced| announced.since),
        until: None,
        fact: format!(
            "this machine matches {} of {} points ({} are needed), but has changed: {}",
            machine.score,
            machine.total,
            machine.threshold,
            machine.changed()
        ),
    })
}

/// The warning before the license expires, unless another license takes over.
fn expiring(decision: &Decision) -> Option<ActiveCause> {
    let (last, days) = decision.expires_soon()?;
    let fact = format!("this license expires on {last}");
    nears(Cause::Expired, last, days, fact)
}

/// The warning before maintenance ends, unless another license extends it, and the notice that it
/// has ended.
fn maintenance(decision: &Decision) -> Option<ActiveCause> {
    if let Some((last, days)) = decision.maintenance_ends_soon() {
        return nears(Cause::Maintenance, last, days, format!("maintenance ends on {last}"));
    }
    let last = decision.maintenance_ended()?;
    Some(ActiveCause {
        cause: Cause::Maintenance,
        stage: Stage::Ended,
        since: last.ends(),
        until: None,
        fact: format!("maintenance ended on {last}"),
    })
}

fn nears(cause: Cause, last: Day, days: u32, fact: String) -> Option<ActiveCause> {
    let stages = [Stage::MonthLeft, Stage::WeekLeft, Stage::DayLeft];
    let (_, stage) = WARNINGS.into_iter().zip(stages).find(|(warning, _)| *warning == days)?;
    Some(ActiveCause { cause, stage, since: last.ends(), until: Some(last.ends()), fact })
}
