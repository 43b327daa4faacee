//! The time machine: what an installed license will say, and when. Nothing is judged here; each
//! answer is one of [`decide`](crate::judge::decide), asked where it can be another one.

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

/// Most events of one simulation.
pub const EVENTS_CAP: usize = 1000;
/// Most answers of the vendor that are imported in one simulation.
pub const ANSWERS_CAP: usize = 64;

/// What is to be played.
#[derive(Debug, Clone)]
pub struct Play {
    /// The slot whose license is looked at.
    pub slot: SlotName,
    /// The machine and its clock at the beginning; the clock is taken to be right.
    pub around: Surroundings,
    /// What happens, in any order; of events at one instant the first comes first.
    pub events: Vec<ScenarioEvent>,
    /// The last instant.
    pub until: Instant,
    /// Most answers that are asked for.
    pub steps: usize,
}

/// How an installation stands from an instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From when, by a clock that is right.
    pub at: Instant,
    /// What the clock of the server says then.
    pub clock: Instant,
    /// What happens at this instant.
    pub events: Vec<Happening>,
    /// How it stands.
    pub condition: Condition,
    /// What is new.
    pub turns: Vec<Turn>,
    /// The answer; nothing while the server does not run.
    pub decision: Option<Decision>,
}

/// How an installation stands from a first instant to a last one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The first one is the beginning.
    pub entries: Vec<Entry>,
    /// The last instant.
    pub until: Instant,
}

/// Plays what happens to an installation. Its state is used up: nothing of this is ever saved.
/// While the server runs, it looks at its machine all the time, and remembers when it matched.
///
/// # Errors
/// `not-activated` where the slot holds nothing; exit 2 when an event or the end is before the
/// beginning, when something is to be done on a server that does not run, or a cap is broken.
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

/// The events by time, where all of them can happen.
fn sorted(play: &Play) -> Result<Vec<ScenarioEvent>> {
    let begin = play.around.clock;
    if play.until < begin {
        let fact = format!("the end {} is before the beginning {begin}", play.until);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("name a later end", &[Remedy::NameEnd]),
        ));
    }
    if play.events.len() > EVENTS_CAP {
        let fact = format!("{} events, where at most {EVENTS_CAP} fit", play.events.len());
        return Err(Error::unable(Problem::TooLarge, fact, "leave some out"));
    }
    let is_answer = |event: &&ScenarioEvent| matches!(event.what, Happening::Import(_));
    let answers = play.events.iter().filter(is_answer).count();
    if answers > ANSWERS_CAP {
        let fact = format!("{answers} imports, where at most {ANSWERS_CAP} fit");
        return Err(Error::unable(Problem::TooLarge, fact, "leave some out"));
    }
    let mut events = play.events.clone();
    events.sort_by_key(|event| event.at);
    if let Some(early) = events.first().filter(|event| event.at < begin) {
        let fact = format!("event \"{} {}\" is before the beginning {begin}", early.at, early.what);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "choose a date from now on; what has happened before, the server knows",
        ));
    }
    if let Some(late) = events.last().filter(|event| event.at > play.until) {
        let fact = format!("event \"{} {}\" is after the end {}", late.at, late.what, play.until);
        return Err(Error::unable(
            Problem::Usage,
            fact,
            NextStep::new("name a later end", &[Remedy::NameEnd]),
        ));
    }
    Ok(events)
}

impl Entry {
    /// What happens and what is new, a line each; not escaped.
    pub fn lines(&self) -> Vec<String> {
        let events = self.events.iter().map(|event| format!("event: {event}"));
        let clock =
            (self.clock != self.at).then(|| format!("the clock of the server says {}", self.clock));
        events.chain(clock).chain(self.turns.iter().map(|turn| turn.text.clone())).collect()
    }
}

/// The entries so far.
struct Run {
    entries: Vec<Entry>,
    /// How it stood when it ran at last.
    standing: Option<Moment>,
    steps: usize,
}

impl Run {
    /// Asks once; makes an entry where something happened or is new.
    fn look(
        &mut self,
        server: &mut Server,
        events: Vec<Happening>,
        answers: Vec<Turn>,
    ) -> Result<Option<Decision>> {
        self.steps = self.steps.checked_sub(1).ok_or_else(|| {
            let fact = "more answers would have to be asked for than one simulation may";
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
