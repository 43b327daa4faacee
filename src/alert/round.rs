//! One round: delivers what is new in a home to every recipient, and remembers the deliveries.

use std::fs::TryLockError;
use std::path::Path;

#[cfg(not(feature = "smtp"))]
use crate::alert::absent::Mailer;
use crate::alert::command;
#[cfg(feature = "smtp")]
use crate::alert::mail::Mailer;
use crate::alert::memory::{ActiveCause, Memory};
use crate::alert::notice::{Notice, Say};
use crate::alert::settings::{Settings, Way};
use crate::file::{self, Access, Lock};
use crate::home::{Home, News};
use olr_core::error::{Error, Problem, Result};
use olr_core::judge::Decision;
use olr_core::machine::FactorKind;
use olr_core::state::{Listener, SlotName, Surroundings};
use olr_core::time::Instant;

/// Result of telling one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Delivered in this round.
    Now,
    /// Delivered in an earlier round.
    Before,
    /// Not delivered; the next round tries again.
    Not(Error),
}

/// A change, and its deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The notice of the change.
    pub notice: Notice,
    /// Each recipient, and the result of the delivery.
    pub ways: Vec<(Way, Heard)>,
}

impl Told {
    /// Returns whether the notice has been delivered to every recipient.
    pub fn is_whole(&self) -> bool {
        self.ways.iter().all(|(_, heard)| !matches!(heard, Heard::Not(_)))
    }
}

/// Delivers the new changes. Each recipient gets a change once; a failed delivery is repeated in
/// a later round.
///
/// # Errors
/// Exit 2: the home cannot be read or written, or another round is running. A failed delivery is
/// not an error here; the returned list holds it.
pub fn tell(
    home: &Home,
    settings: &Settings,
    around: &Surroundings,
    say: Say,
) -> Result<Vec<Told>> {
    let _alone = alone(home)?;
    let mut memory = Memory::load(home.folder())?;
    let notices = notices(home, settings, around, &mut memory, false)?;
    if notices.is_empty() {
        return Ok(Vec::new());
    }
    // If nothing can be remembered, nothing is sent: every round would send it again.
    memory.save()?;
    let mut ways = Ways::new(settings, home.folder(), around.clock, say);
    let mut all = Vec::new();
    for notice in notices {
        let mut told = Told { notice, ways: Vec::new() };
        for way in settings.ways() {
            let heard = match memory.was_told(told.notice.id, &way) {
                true => Heard::Before,
                false => ways.tell(&way, &told.notice).map_or_else(Heard::Not, |()| Heard::Now),
            };
            if heard == Heard::Now {
                memory.tell(told.notice.id, &way);
                memory.save()?;
            }
            told.ways.push((way, heard));
        }
        if told.is_whole() {
            match home.acknowledge(Listener::Operator, &[told.notice.id]) {
                // If the whole home is refused, there is no state that could store the
                // acknowledgement.
                Err(error) if error.refusal().is_none() => return Err(error),
                _ => memory.settle(&told.notice),
            }
            memory.save()?;
        }
        all.push(told);
    }
    Ok(all)
}

/// Returns what [`tell`] would deliver, and to whom, without delivering or remembering it.
///
/// # Errors
/// See [`tell`].
pub fn dry_run(
    home: &Home,
    settings: &Settings,
    around: &Surroundings,
) -> Result<Vec<(Notice, Vec<Way>)>> {
    let mut memory = Memory::load(home.folder())?;
    let notices = notices(home, settings, around, &mut memory, true)?;
    let ways = |notice: &Notice| {
        let all = settings.ways().into_iter();
        all.filter(|way| !memory.was_told(notice.id, way)).collect()
    };
    Ok(notices.into_iter().map(|notice| (notice.clone(), ways(&notice))).collect())
}

/// Sends a test to every recipient.
pub fn test(home: &Home, settings: &Settings, around: &Surroundings, say: Say) -> Told {
    let mut ways = Ways::new(settings, home.folder(), around.clock, say);
    let notice = Notice::test(&server(settings, around), around.clock);
    let tell = |way: Way| {
        let heard = ways.tell(&way, &notice).map_or_else(Heard::Not, |()| Heard::Now);
        (way, heard)
    };
    let ways = settings.ways().into_iter().map(tell).collect();
    Told { notice, ways }
}

/// Returns the notices to deliver, oldest first.
fn notices(
    home: &Home,
    settings: &Settings,
    around: &Surroundings,
    memory: &mut Memory,
    only_look: bool,
) -> Result<Vec<Notice>> {
    let server = server(settings, around);
    let News { decisions, events } = match home.news(around, Listener::Operator, only_look) {
        Ok(news) => news,
        // The whole home is refused: there are no events, only this refusal and remembered ones.
        Err(error) => {
            let word = error.refusal().ok_or_else(|| error.clone())?;
            memory.stand(&[(None, word, error.fact().to_string())], around.clock);
            return Ok(memory.notices(&server));
        }
    };
    let of = |name: &SlotName| decisions.iter().find(|(slot, _)| slot == name).map(|(_, d)| d);
    let told = events.iter().map(|event| Notice::of_event(event, of(&event.slot), &server));
    let mut notices: Vec<_> = told.collect();
    let standing: Vec<ActiveCause> = decisions.iter().filter_map(refused).collect();
    memory.stand(&standing, around.clock);
    notices.extend(memory.notices(&server));
    notices.sort_by_key(|notice| notice.at);
    memory.keep(&notices);
    Ok(notices)
}

/// Returns the refusal of a slot, if there is one and the state has no event for it.
fn refused((name, decision): &(SlotName, Decision)) -> Option<ActiveCause> {
    // A refusal caused only by a clock far ahead is covered by the event of that clock.
    let decision = decision.told();
    let refusal = decision.refusal()?;
    let word = refusal.refusal()?;
    let has_event = decision.ended().iter().any(|grace| grace.overlooked.refusal() == Some(word));
    (!has_event).then(|| (Some(name.clone()), word, refusal.fact().to_string()))
}

/// Returns the name of the server: from the settings, or its host name.
fn server(settings: &Settings, around: &Surroundings) -> String {
    let host = around.factors.iter().find(|factor| factor.kind == FactorKind::Hostname);
    let host = host.map(|host| host.value.to_string());
    settings.server.clone().or(host).unwrap_or_else(|| "this server".to_string())
}

/// Takes the lock that keeps other rounds out until it is dropped.
fn alone(home: &Home) -> Result<Lock> {
    let path = home.folder().join("alerts.lock");
    let name = file::name(&path);
    let failed = |error: std::io::Error| {
        let say = |why: &str| format!("it cannot be locked: {why}");
        file::failed_saying(Access::Lock, &path, &error, say)
    };
    let lock = file::open_lock(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock::held(lock)),
        Err(TryLockError::Error(error)) => Err(failed(error)),
        Err(TryLockError::WouldBlock) => {
            let fact =
                format!("{name}: another process is already sending the alerts of this home");
            Err(Error::unable(Problem::Locked, fact, "wait until it is done, then run this again"))
        }
    }
}

/// The means of delivery in one round: the mailer and the command. If one of them cannot work, it
/// is not tried again; if it failed for a single change, it may work for the next.
struct Ways<'a> {
    settings: &'a Settings,
    home: &'a Path,
    now: Instant,
    say: Say,
    mailer: Option<Result<Mailer>>,
    /// Why the command is not run again in this round.
    stuck: Option<Error>,
}

impl<'a> Ways<'a> {
    fn new(settings: &'a Settings, home: &'a Path, now: Instant, say: Say) -> Self {
        Self { settings, home, now, say, mailer: None, stuck: None }
    }

    fn tell(&mut self, way: &Way, notice: &Notice) -> Result<()> {
        match (way, &self.settings.command, &self.settings.mail) {
            (Way::Command, Some(command), _) => match &self.stuck {
                Some(error) => Err(error.clone()),
                None => command::run(command, notice, self.say).map_err(|failed| {
                    self.stuck = failed.is_stuck.then(|| failed.error.clone());
                    failed.error
                }),
            },
            (Way::Mail(to), _, Some(mail)) => {
                let new = || Mailer::new(mail, self.home, self.now, self.say);
                match self.mailer.get_or_insert_with(new) {
                    Ok(mailer) => mailer.send(to, notice),
                    Err(error) => Err(error.clone()),
                }
            }
            _ => Ok(()),
        }
    }
}
