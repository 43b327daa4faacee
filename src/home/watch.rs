//! Judging, and remembering what is to be told to people.

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

/// Seconds for which a drift that was solved is not told again.
const DRIFT_RESTS: u64 = 3600;

/// How all that is installed stands, and what of it is new to a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// How each slot stands.
    pub decisions: Vec<(SlotName, Decision)>,
    /// What the listener has not acknowledged, oldest first.
    pub events: Vec<Event>,
}

impl Home {
    /// Judges all that is installed, remembers what changed, and returns what `listener` has not
    /// acknowledged. What cannot be remembered is an error here: it could not be acknowledged either,
    /// and would be told at every look. With `only_look` nothing is remembered of it.
    ///
    /// # Errors
    /// As [`Home::decide_all`]; exit 2 when the home cannot be written.
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

    /// Remembers that `listener` dealt with these events.
    ///
    /// # Errors
    /// `not-activated`, `damaged-state`; exit 2.
    pub fn acknowledge(&self, listener: Listener, events: &[EventId]) -> Result<()> {
        self.require()?.acknowledge(Wait::Long, listener, events)
    }
}

impl Session<'_> {
    /// As [`Home::decide`], and remembers what changed for the worse or the better since it was last
    /// asked so: what is to be told stands in the state. Returns also whether the home remembers it:
    /// another process may be at work there.
    pub fn watch(
        &mut self,
        product: Option<&str>,
        slot: Option<&str>,
        around: &Surroundings,
    ) -> Result<(Decision, bool)> {
        let decision = self.decide(product, slot, around)?;
        let name = self.state.slot(product, slot)?.name.clone();
        // Where it cannot be written it is told all the same, and told again.
        let told = || [(&name, &decision)].into_iter();
        let is_stored = !announce_all(&mut self.state, told())?
            || (self.claim(Wait::Short).is_ok() && self.store_news(told()).is_ok());
        Ok((decision, is_stored))
    }

    /// Stores what is new in these decisions, which the state that was judged has in it.
    fn store_news<'d>(
        &mut self,
        told: impl Iterator<Item = (&'d SlotName, &'d Decision)>,
    ) -> Result<()> {
        match self.stored.as_mut().map_or(Ok(true), |stored| announce_all(stored, told))? {
            true => self.save(),
            false => Ok(()),
        }
    }

    /// As [`Home::acknowledge`].
    ///
    /// # Errors
    /// As [`Home::acknowledge`].
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

/// Remembers what is new in these decisions. Returns whether anything is.
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

/// Remembers what is new in `decision`. Returns whether anything is.
fn announce(state: &mut State, name: &SlotName, decision: &Decision) -> Result<bool> {
    let Some(license) = decision.license() else { return Ok(false) };
    let slot = state.memory().slots.get(name);
    let drift = slot.and_then(|slot| slot.announced.get(&Cause::Drift));
    let standing = standing(decision, license, drift);
    state.announce(name, license.body().license, decision.told().judged_at(), &standing)
}

/// Everything that people should know of, each cause once: by what is remembered, the machine, and
/// the clock itself where that is far ahead of it.
fn standing(decision: &Decision, license: &License, drift: Option<&Announced>) -> Vec<ActiveCause> {
    let mut all = standing_at(decision.told());
    all.extend(drifting(decision, license, drift));
    all.extend(decision.remembered().map(|remembered| ActiveCause {
        cause: Cause::Clock,
        stage: Stage::Grace,
        since: remembered.judged_at(),
        until: None,
        fact: format!(
            "the clock says {}, but the latest time known here is {}; set the clock of this \
             machine if it is wrong; otherwise make a request, and import the time that your vendor \
             answers it with",
            decision.judged_at(), remembered.judged_at()
        ),
    }));
    all
}

/// In words; with what is left of a grace whose time adds up.
fn fact(grace: &Grace, at: Instant) -> String {
    let fact = grace.overlooked.to_string();
    let (Some(adds_up), Some(until)) = (grace.adds_up, grace.until) else { return fact };
    let left = until.seconds.saturating_sub(at.seconds);
    let minutes = left.div_ceil(60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{fact}; {hours} h {minutes} min are left of the time that adds up since {adds_up}")
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

/// That the machine still matches and has changed. Told once, it lasts until everything that is
/// enrolled is as it was: neither what cannot be read nor a conflict solves it. Once solved, it rests
/// for a while.
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
            "this machine matches {} of {} points where {} are needed, but has changed: {}",
            machine.score,
            machine.total,
            machine.threshold,
            machine.changed()
        ),
    })
}

/// The warning before a license expires, unless another one takes over.
fn expiring(decision: &Decision) -> Option<ActiveCause> {
    let (last, days) = decision.expires_soon()?;
    let fact = format!("this license expires on {last}");
    nears(Cause::Expired, last, days, fact)
}

/// The warning before maintenance ends, unless another license prolongs it, and that it has ended.
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
