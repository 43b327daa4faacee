//! Notice of one change: a subject, a text for people, and JSON for a command.
//! Text from files passes through `display::shown`, so that no name can inject a line, a header or
//! an instruction.

use serde_json::{Value, json};

use olr_core::crypto::digest::tagged16;
use olr_core::crypto::label::EVENT;
use olr_core::display::{listed, shown};
use olr_core::entitlement::{Cause, Outcome};
use olr_core::error::{Error, NextStep, Refusal, Remedy};
use olr_core::judge::{Condition, Decision};
use olr_core::machine::Assessment;
use olr_core::state::{Event, SlotName, Stage};
use olr_core::time::Instant;
use olr_core::wire::id::{EventId, LicenseId};

/// Maximum length of a name in a subject or text, in characters.
const BRIEF: usize = 64;

/// Next step when maintenance ends.
const RENEW_MAINTENANCE: &str = "buy maintenance from the vendor if you want later releases; the installed release continues to run";
/// Next step for a machine that has changed and still matches.
const RENEW: &str = "ask for a new license while this one still matches";
/// Where to find more details.
const STATUS: &str = "the server shows its current state";

/// Function that puts a next step into words for the recipients.
pub type Say = fn(&NextStep) -> String;

/// Notice of one change, as it is sent to the recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Identifies the change: the same change always has the same id.
    pub id: EventId,
    /// Name of the server, as people call it.
    pub server: String,
    /// Product and slot, or `None` if the notice concerns the whole server.
    pub place: Option<SlotName>,
    /// The license concerned, if it is a single one.
    pub license: Option<LicenseId>,
    /// What has changed.
    pub about: NoticeKind,
    /// When the change was noticed.
    pub at: Instant,
    /// When the cause began.
    pub since: Option<Instant>,
    /// When the next stage begins.
    pub until: Option<Instant>,
    /// The change in words.
    pub fact: String,
    /// Next step, if one is known that is more specific than the cause's own.
    pub step: Option<NextStep>,
    /// Condition of the slot at the time of sending, if the notice concerns a slot.
    pub condition: Option<Condition>,
}

/// Kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// A cause reached a stage.
    Change {
        /// The cause.
        cause: Cause,
        /// The stage that it reached.
        stage: Stage,
        /// The outcome if nothing is done.
        then: Outcome,
    },
    /// A refusal without stages, such as a damaged state.
    Refused(Refusal),
    /// A refusal without stages no longer applies.
    Over(Refusal),
    /// A test: nothing has changed.
    Test,
}

impl Notice {
    /// Returns the notice of an event; `decision` is the current decision for its slot. A clock
    /// that is implausibly far ahead concerns the whole server, and does not alter the notices of
    /// other causes.
    pub fn of_event(event: &Event, decision: Option<&Decision>, server: &str) -> Self {
        let told = decision.map(Decision::told);
        let graces = told.into_iter().flat_map(|d| d.graces().iter().chain(d.ended()));
        let grace = graces.into_iter().find(|grace| grace.cause == event.cause);
        let is_of_slot = event.cause != Cause::Clock;
        let body = told.and_then(|d| d.license()).map(|license| license.body());
        let rule = body.and_then(|body| body.grace.get(&event.cause)).map(|rule| rule.outcome);
        let warns =
            !event.cause.is_of_licenses() || (event.stage == Stage::Grace && event.until.is_none());
        let then = match (warns, rule) {
            (true, _) => Outcome::Warn,
            (false, rule) => grace.map(|grace| grace.then).or(rule).unwrap_or(Outcome::Stop),
        };
        Self {
            id: event.id,
            server: server.to_string(),
            place: is_of_slot.then(|| event.slot.clone()),
            license: is_of_slot.then_some(event.license),
            about: NoticeKind::Change { cause: event.cause, stage: event.stage, then },
            at: event.at,
            since: grace.map(|grace| grace.since),
            until: event.until,
            fact: event.fact.to_string() + &more_over(event, told),
            step: match event.cause {
                // The assessment's own step takes precedence: a machine that may be a copy must
                // not renew.
                Cause::Drift => decision.and_then(Decision::drift).and_then(Assessment::next_step),
                // The decision knows whether a request is waiting for its answer.
                Cause::Expired if grace.is_none() => {
                    told.and_then(Decision::near_end).and_then(|headline| headline.next_step)
                }
                _ => grace.map(|grace| grace.overlooked.next_step().clone()),
            },
            condition: told.filter(|_| is_of_slot).map(Decision::condition),
        }
    }

    /// Returns a notice that tests whether alerts arrive.
    pub fn test(server: &str, at: Instant) -> Self {
        Self {
            id: EventId(tagged16(&[EVENT, b"test", &at.seconds.to_le_bytes()])),
            server: server.to_string(),
            place: None,
            license: None,
            about: NoticeKind::Test,
            at,
            since: None,
            until: None,
            fact: "this is a test of whether alerts arrive".to_string(),
            step: None,
            condition: None,
        }
    }

    /// Returns one line: the server, product and slot, and the change.
    pub fn subject(&self) -> String {
        let place = self
            .place
            .as_ref()
            .map(|place| format!(": {}/{}", brief(&place.product), brief(&place.slot)));
        format!("olr: {}{}: {}", brief(&self.server), place.unwrap_or_default(), self.what())
    }

    /// Names the change in a few words.
    fn what(&self) -> String {
        let (cause, stage, then) = match self.about {
            NoticeKind::Change { cause, stage, then } => (cause, stage, then),
            NoticeKind::Refused(word) => return format!("refused ({word})"),
            NoticeKind::Over(word) => return format!("resolved ({word})"),
            NoticeKind::Test => return "test".to_string(),
        };
        let until = self.until.map(|until| until.to_string()).unwrap_or_default();
        let ends = match cause {
            Cause::Maintenance => "maintenance ends",
            _ => "the license expires",
        };
        match stage {
            Stage::MonthLeft => format!("{ends} within 30 days"),
            Stage::WeekLeft => format!("{ends} within 7 days"),
            Stage::DayLeft => format!("{ends} within a day"),
            Stage::Ended if cause == Cause::Maintenance => "maintenance has ended".to_string(),
            Stage::Grace if cause == Cause::Drift => "the machine has changed (drift)".to_string(),
            Stage::Grace if then == Outcome::Warn => format!("warning ({cause})"),
            Stage::Grace => format!("grace until {until} ({cause})"),
            Stage::Countdown => format!("stops within an hour, at {until} ({cause})"),
            Stage::Ended if then == Outcome::Block => format!("operations blocked ({cause})"),
            Stage::Ended => format!("stopped ({cause})"),
            Stage::Solved => format!("resolved ({cause})"),
            other => format!("{other} ({cause})"),
        }
    }

    /// Returns the whole text: the change, when it began, when the next stage begins, the outcome,
    /// and one next step.
    pub fn text(&self, say: Say) -> String {
        let place = self
            .place
            .as_ref()
            .map(|place| format!(", {} (slot {})", brief(&place.product), brief(&place.slot)));
        let mut paragraphs = vec![
            format!("{}{}: {}.", brief(&self.server), place.unwrap_or_default(), self.fact()),
            self.course(),
        ];
        paragraphs.extend(self.said_step(say).map(|step| format!("Next step: {step}.")));
        let license = self.license.map(|license| format!("License: {license}\n"));
        paragraphs.push(format!(
            "{}Noticed: {}\nAlert:   {}",
            license.unwrap_or_default(),
            self.at,
            self.id
        ));
        let status = say(&NextStep::new(STATUS, &[Remedy::ShowStatus]));
        paragraphs.push(format!("Each change is reported once; {status}."));
        paragraphs.join("\n\n") + "\n"
    }

    /// Describes when the cause began, when the next stage begins, and the outcome.
    fn course(&self) -> String {
        let since = self.since.unwrap_or(self.at);
        let (cause, stage, then) = match self.about {
            NoticeKind::Change { cause, stage, then } => (cause, stage, then),
            NoticeKind::Refused(_) => {
                return format!(
                    "This refusal was first seen at {since}. The product is not allowed to run."
                );
            }
            NoticeKind::Over(_) => return "This is resolved: no action is needed.".to_string(),
            NoticeKind::Test => {
                return "Nothing has changed: no action is needed.".to_string();
            }
        };
        let until = self.until.map(|until| until.to_string()).unwrap_or_default();
        let end = match then {
            Outcome::Stop => "the server stops",
            Outcome::Block => "operations are blocked, as the license says",
            Outcome::Warn => "only a warning remains",
        };
        match stage {
            Stage::MonthLeft | Stage::WeekLeft | Stage::DayLeft if cause == Cause::Maintenance => {
                format!(
                    "Maintenance lasts until {until}. The installed release continues to run. Releases that come out later are refused."
                )
            }
            Stage::Ended if cause == Cause::Maintenance => {
                "The installed release continues to run. Releases that come out later are refused."
                    .to_string()
            }
            Stage::Grace if cause == Cause::Drift => {
                "The license still matches this machine, and nothing stops because of this. After \
                 more changes like this, it may no longer match."
                    .to_string()
            }
            Stage::MonthLeft | Stage::WeekLeft | Stage::DayLeft => {
                format!(
                    "The license is valid until {until}. Then its grace period begins, if it has one; when that is over, {end}."
                )
            }
            Stage::Grace if then == Outcome::Warn => {
                format!(
                    "The problem began at {since}. This is only a warning: nothing stops because of it."
                )
            }
            Stage::Grace => {
                format!("The problem began at {since} and is tolerated until {until}. Then {end}.")
            }
            Stage::Countdown => {
                format!("The problem began at {since}. At {until}, within the hour, {end}.")
            }
            Stage::Ended if then == Outcome::Stop => {
                format!(
                    "The server has stopped: the problem is no longer tolerated. It began at {since}."
                )
            }
            Stage::Ended => {
                format!("The problem is no longer tolerated: {end}. It began at {since}.")
            }
            Stage::Solved => format!("This is resolved ({cause}): no action is needed."),
            other => format!("It has been {other} since {since}."),
        }
    }

    /// Returns the next step, or `None` if there is nothing to do.
    fn next_step(&self) -> Option<NextStep> {
        let word = match self.about {
            NoticeKind::Change { stage: Stage::Solved, .. }
            | NoticeKind::Over(_)
            | NoticeKind::Test => {
                return None;
            }
            NoticeKind::Change { .. } if self.step.is_some() => return self.step.clone(),
            NoticeKind::Refused(word) => word,
            NoticeKind::Change { cause, .. } => match cause {
                Cause::Expired => Refusal::Expired,
                Cause::OverQuota | Cause::Upgraded => Refusal::QuotaExceeded,
                Cause::Conflict => Refusal::WrongMachine,
                Cause::Revoked | Cause::Pooled => Refusal::Revoked,
                Cause::Clock => Refusal::ClockRolledBack,
                Cause::Maintenance => return Some(RENEW_MAINTENANCE.into()),
                Cause::Drift => return Some(NextStep::new(RENEW, &[Remedy::Renew])),
                _ => return None,
            },
        };
        Some(Error::refuse(word, "").next_step().clone())
    }

    fn said_step(&self, say: Say) -> Option<String> {
        self.next_step().map(|step| shown(&say(&step)).into_owned())
    }

    fn fact(&self) -> String {
        shown(&self.fact).into_owned()
    }

    /// Returns the words for cause and stage, each from a closed list.
    fn words(&self) -> (&'static str, &'static str) {
        match self.about {
            NoticeKind::Change { cause, stage, .. } => (cause.word(), stage.word()),
            NoticeKind::Refused(word) => (word.word(), "refused"),
            NoticeKind::Over(word) => (word.word(), Stage::Solved.word()),
            NoticeKind::Test => ("test", "test"),
        }
    }

    /// Returns the whole notice as JSON, for a command.
    pub fn json(&self, say: Say) -> Value {
        let (cause, stage) = self.words();
        let then = match self.about {
            NoticeKind::Change { then, .. } => Some(then.word()),
            _ => None,
        };
        let time = |at: Option<Instant>| at.map(|at| at.to_string());
        let place = self.place.as_ref();
        json!({
            "alert": self.id.to_string(),
            "cause": cause, "stage": stage, "then": then,
            "condition": self.condition.map(Condition::word),
            "server": shown(&self.server),
            "product": place.map(|place| shown(&place.product)),
            "slot": place.map(|place| shown(&place.slot)),
            "license_id": self.license.map(|license| license.to_string()),
            "at": self.at.to_string(), "since": time(self.since), "until": time(self.until),
            "fact": self.fact(), "next_step": self.said_step(say),
            "subject": self.subject(), "text": self.text(say),
        })
    }

    /// Returns the environment variables of a command: the fields that a script needs most.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let (cause, stage) = self.words();
        let place = self.place.as_ref();
        let name = |name: Option<&str>| shown(name.unwrap_or_default()).into_owned();
        vec![
            ("OLR_ALERT", self.id.to_string()),
            ("OLR_CAUSE", cause.to_string()),
            ("OLR_STAGE", stage.to_string()),
            ("OLR_SERVER", shown(&self.server).into_owned()),
            ("OLR_PRODUCT", name(place.map(|place| &*place.product))),
            ("OLR_SLOT", name(place.map(|place| &*place.slot))),
            ("OLR_SUBJECT", self.subject()),
        ]
    }
}

/// Lists the other modules over quota: an event names only the first one.
fn more_over(event: &Event, decision: Option<&Decision>) -> String {
    let is_over = matches!(event.cause, Cause::OverQuota | Cause::Upgraded);
    let Some(decision) = decision else { return String::new() };
    if !is_over || event.stage == Stage::Solved {
        return String::new();
    }
    let more = decision.excesses().into_iter().map(|excess| {
        format!("{}: {} used, {} granted", shown(excess.module), excess.used, excess.granted)
    });
    let more: Vec<_> = more.filter(|more| !event.fact.contains(more.as_str())).collect();
    match more.is_empty() {
        true => String::new(),
        false => format!("; {}", listed(more.iter().map(String::as_str))),
    }
}

/// Shortens a name for a line that also holds other text.
fn brief(name: &str) -> String {
    let name = shown(name);
    match name.char_indices().nth(BRIEF) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.into_owned(),
    }
}
