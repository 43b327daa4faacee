//! Simulation of what an installed license will allow, and when. This module makes no decision
//! itself: it asks [`decide`](crate::judge::decide) whenever the answer may change.

use crate::error::{Error, NextStep, Problem, Remedy, Result};
use crate::judge::{Condition, Decision};
use crate::state::{SlotName, State, Surroundings};
use crate::time::Instant;

mod event;
mod picture;
mod server;
mod standing;

pub use event::{AnswerFile, EVENTS, Happening, ScenarioEvent};
pub use picture::picture;
pub use standing::Turn;

use server::Server;
use standing::{Moment, turns};

/// Maximum number of events in one simulation.
pub const EVENTS_CAP: usize = 1000;
/// Maximum number of imported answers in one simulation.
pub const ANSWERS_CAP: usize = 64;

/// Input of a simulation.
#[derive(Debug, Clone)]
pub struct Play {
    /// Slot whose license is simulated.
    pub slot: SlotName,
    /// The machine and its clock at the beginning. The clock is assumed to be correct.
    pub around: Surroundings,
    /// Events in any order. Events at the same instant happen in the order given.
    pub events: Vec<ScenarioEvent>,
    /// End of the simulation.
    pub until: Instant,
    /// Maximum number of decisions to ask for.
    pub steps: usize,
}

/// Licensing status of an installation from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it begins, in true time.
    pub at: Instant,
    /// Time of the server's clock at that instant.
    pub clock: Instant,
    /// Events at this instant.
    pub events: Vec<Happening>,
    /// Licensing status of the installation.
    pub condition: Condition,
    /// What changed.
    pub turns: Vec<Turn>,
    /// The decision. `None` while the server is not running.
    pub decision: Option<Decision>,
}

/// Licensing status of an installation over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Entries in the order of time. The first one is the beginning.
    pub entries: Vec<Entry>,
    /// End of the simulation.
    pub until: Instant,
}

/// Simulates an installation. Consumes the state, because nothing of the simulation is ever saved.
/// While the simulated server runs, it assesses its machine continuously and records when it
/// matched.
///
/// # Errors
/// `not-activated` if nothing was ever installed in the slot; exit 2 if the end is before the
/// beginning, an event is outside of the simulated time or requires a running server while it is
/// off, or a cap is exceeded.
pub fn simulate(state: State, play: &Play) -> Result<Timeline> {
    let (begin, until) = (play.around.clock, play.until);
    let events = sorted(play)?;
    let mut events = events.as_slice();
    let mut server = Server::new(state, play.slot.clone(), play.around.clone());
    let mut run = Run { entries: Vec::new(), standing: None, steps: play.steps };
    let mut at = begin;
    loop {
        server.pass(at);
        let mut decision = run.look(&mut server, Vec::new(), Vec::new())?;
        let now = events.iter().take_while(|event| event.at <= at).count();
        if let Some((due, rest)) = events.split_at_checked(now).filter(|(due, _)| !due.is_empty()) {
            let mut answers = Vec::new();
            for event in due {
                answers.extend(server.happen(event)?);
            }
            let due = due.iter().map(|event| event.what.clone()).collect();
            decision = run.look(&mut server, due, answers)?;
            events = rest;
        }
        let change = decision.map(|decision| server.next_change(&decision));
        let next = [change, events.first().map(|event| event.at)].into_iter().flatten().min();
        match next.filter(|next| *next <= until && *next > server.now()) {
            Some(next) => at = next,
            None => return Ok(Timeline { entries: run.entries, until }),
        }
    }
}

/// Sorts the events by time, and checks that they lie within the simulation.
fn sorted(play: &Play) -> Result<Vec<ScenarioEvent>> {
    let begin = play.around.clock;
    if play.until < begin {
        let fact =
            format!("the end of the simulation, {}, is before the start, {begin}", play.until);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("name a later end", &[Remedy::NameEnd]),
        ));
    }
    if play.events.len() > EVENTS_CAP {
        let fact = format!("{} events, but at most {EVENTS_CAP} are allowed", play.events.len());
        return Err(Error::unable(Problem::TooLarge, fact, "leave some of them out"));
    }
    let is_answer = |event: &&ScenarioEvent| matches!(event.what, Happening::Import(_));
    let answers = play.events.iter().filter(is_answer).count();
    if answers > ANSWERS_CAP {
        let fact = format!("{answers} imports, but at most {ANSWERS_CAP} are allowed");
        return Err(Error::unable(Problem::TooLarge, fact, "leave some of them out"));
    }
    let mut events = play.events.clone();
    events.sort_by_key(|event| event.at);
    if let Some(early) = events.first().filter(|event| event.at < begin) {
        let fact = format!(
            "event \"{} {}\" is before the start of the simulation, {begin}",
            early.at, early.what
        );
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "choose a later date or time (a date means its first second): the server already \
             knows what happened before",
        ));
    }
    if let Some(late) = events.last().filter(|event| event.at > play.until) {
        let fact = format!(
            "event \"{} {}\" is after the end of the simulation, {}",
            late.at, late.what, play.until
        );
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("name a later end", &[Remedy::NameEnd]),
        ));
    }
    Ok(events)
}

impl Entry {
    /// Returns the events and changes, one line each, not escaped.
    pub fn lines(&self) -> Vec<String> {
        let events = self.events.iter().map(|event| format!("event: {event}"));
        let clock =
            (self.clock != self.at).then(|| format!("the clock of the server says {}", self.clock));
        events.chain(clock).chain(self.turns.iter().map(|turn| turn.text.clone())).collect()
    }
}

/// The simulation so far.
struct Run {
    entries: Vec<Entry>,
    /// Status of the server when it last ran.
    standing: Option<Moment>,
    steps: usize,
}

impl Run {
    /// Asks for one decision. Adds an entry if something happened or changed.
    fn look(
        &mut self,
        server: &mut Server,
        events: Vec<Happening>,
        answers: Vec<Turn>,
    ) -> Result<Option<Decision>> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| {
            let fact = "this simulation would need more decisions than are allowed";
            Error::unable(
                Problem::Usage,
                fact,
                NextStep::new("choose an earlier end, or fewer events", &[Remedy::NameEnd]),
            )
        })?;
        let decision = server.look()?;
        let standing = decision.as_ref().map(Moment::new);
        let is_new = standing.is_some() && standing != self.standing;
        if events.is_empty() && !is_new {
            return Ok(decision);
        }
        let mut turns = match (&standing, &decision) {
            (Some(standing), Some(decision)) => turns(self.standing.as_ref(), standing, decision),
            _ => Vec::new(),
        };
        turns.splice(0..0, answers);
        self.entries.push(Entry {
            at: server.now(),
            clock: server.clock(),
            events,
            condition: standing.as_ref().map_or(Condition::Off, |standing| standing.condition),
            turns,
            decision: decision.clone(),
        });
        self.standing = standing.or(self.standing.take());
        Ok(decision)
    }
}
