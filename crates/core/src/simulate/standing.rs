//! Status of a simulated installation, and descriptions of its changes.

use crate::display::{listed, shown};
use crate::entitlement::{Cause, Count, Operations, Outcome};
use crate::error::Refusal;
use crate::judge::{Condition, Decision, Grace, left};
use crate::machine::Assessment;
use crate::time::{Day, Instant};
use crate::wire::id::LicenseId;

/// A change at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// One word: that of the [`Condition`] that begins, or `takes-over`, `renewal`, `grace-ends`,
    /// `expires-soon`, `drifts`, `maintenance-ends-soon`, `maintenance-ends`, `not-granted`,
    /// `clock-doubted`, `clock-believed`. After an import or an upgrade, `imported`,
    /// `import-refused`, `upgrade-allowed` or `upgrade-refused`.
    pub word: &'static str,
    /// Word of the cause or of the refusal. Empty if there is none.
    pub about: &'static str,
    /// Description for people. May quote text from a license: escape it before you show it.
    pub text: String,
}

/// Everything in a decision that time or events may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) condition: Condition,
    license: Option<LicenseId>,
    refusal: Option<Refusal>,
    blocked: Operations,
    graces: Vec<Waiting>,
    expires_soon: Option<(Day, u32)>,
    maintenance_ends_soon: Option<(Day, u32)>,
    maintenance_ended: Option<Day>,
    /// Changes of a machine that still matches.
    drift: Option<String>,
    clock_is_pending: bool,
    /// Modules in use without a grant.
    ungranted: Vec<Count>,
}

/// A grace period without its description, which may contain numbers that change all the time.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    cause: Cause,
    until: Option<Instant>,
    then: Outcome,
    counts_down: bool,
}

impl Waiting {
    fn new(grace: &Grace, at: Instant) -> Self {
        let Grace { cause, until, then, .. } = *grace;
        Self { cause, until, then, counts_down: grace.counts_down(at) }
    }
}

impl Moment {
    /// Makes the status of a running server.
    pub(super) fn new(decision: &Decision) -> Self {
        let condition = decision.condition();
        let waits = |grace: &Grace| Waiting::new(grace, decision.judged_at());
        Self {
            condition,
            license: decision.license().map(|license| license.body().license),
            refusal: decision.refusal().and_then(|refusal| refusal.refusal()),
            blocked: decision.blocked(),
            // Later changes do not matter to a stopped server.
            graces: match condition {
                Condition::Stopped => Vec::new(),
                _ => decision.graces().iter().map(waits).collect(),
            },
            expires_soon: decision.expires_soon().filter(|_| condition != Condition::Stopped),
            maintenance_ends_soon: decision
                .maintenance_ends_soon()
                .filter(|_| condition != Condition::Stopped),
            maintenance_ended: decision.maintenance_ended(),
            drift: decision
                .drift()
                .filter(|_| condition != Condition::Stopped)
                .map(Assessment::changed),
            clock_is_pending: decision.clock_is_pending(),
            ungranted: decision.ungranted(),
        }
    }

    fn waits_for(&self, cause: Cause) -> Option<&Waiting> {
        self.graces.iter().find(|grace| grace.cause == cause)
    }
}

/// Returns what has changed in `decision`, whose status is `now`, since `before`. A takeover comes
/// first, then the gravest change.
pub(super) fn turns(before: Option<&Moment>, now: &Moment, decision: &Decision) -> Vec<Turn> {
    let mut turns = Vec::new();
    takes_over(before, now, decision, &mut turns);
    refusal(before, now, decision, &mut turns);
    graces(before, now, decision, &mut turns);
    let mut say = |word, text| turns.push(Turn { word, about: "", text });
    if before.is_none_or(|before| before.expires_soon != now.expires_soon)
        && let Some((last, days)) = now.expires_soon
    {
        let left = left(days);
        let text = format!(
            "this license expires on {last}, within {left}, and no license takes over by then"
        );
        say("expires-soon", text);
    }
    if before.is_none_or(|before| before.drift != now.drift)
        && let Some(changed) = &now.drift
    {
        say("drifts", format!("the machine still matches, but has changed: {changed}"));
    }
    if before.is_none_or(|before| before.maintenance_ends_soon != now.maintenance_ends_soon)
        && let Some((last, days)) = now.maintenance_ends_soon
    {
        let left = left(days);
        let text =
            format!("maintenance ends on {last}, within {left}, and no license extends it by then");
        say("maintenance-ends-soon", text);
    }
    if before.is_none_or(|before| before.maintenance_ended != now.maintenance_ended)
        && let Some(last) = now.maintenance_ended
    {
        let text = format!("maintenance ended on {last}: releases that came out later are refused");
        say("maintenance-ends", text);
    }
    if before.is_none_or(|before| before.ungranted != now.ungranted) && !now.ungranted.is_empty() {
        let used = |count: &Count| format!("{} ({} used)", shown(&count.module), count.count);
        let used: Vec<_> = now.ungranted.iter().map(used).collect();
        say("not-granted", format!("not granted: {}", listed(used.iter().map(String::as_str))));
    }
    match (before.is_some_and(|before| before.clock_is_pending), now.clock_is_pending) {
        (false, true) => {
            let known = decision.told().judged_at();
            let text = format!("the clock is far ahead of the latest known time, {known}");
            say("clock-doubted", text);
        }
        (true, false) => say("clock-believed", "the clock is no longer far ahead".to_string()),
        _ => {}
    }
    turns
}

fn takes_over(before: Option<&Moment>, now: &Moment, decision: &Decision, turns: &mut Vec<Turn>) {
    let (Some(before), Some(license)) = (before, decision.license()) else { return };
    if before.license == now.license || before.license.is_none() {
        return;
    }
    let body = license.body();
    let word = if body.replaces == before.license { "renewal" } else { "takes-over" };
    let text = format!("license {} takes over, {}", body.license, until(body.expires));
    turns.push(Turn { word, about: "", text });
}

fn refusal(before: Option<&Moment>, now: &Moment, decision: &Decision, turns: &mut Vec<Turn>) {
    let Some(refusal) = decision.refusal() else {
        let was_refused = before.is_some_and(|before| before.refusal.is_some());
        if was_refused || before.is_none() {
            let last = decision.license().and_then(|license| license.body().expires);
            let text = match last {
                Some(_) => format!("licensed {}", until(last)),
                None => "licensed, no end date".to_string(),
            };
            turns.push(Turn { word: Condition::InEffect.word(), about: "", text });
        }
        return;
    };
    let of = |standing: &Moment| (standing.refusal, standing.blocked.clone());
    if before.is_some_and(|before| of(before) == of(now)) {
        return;
    }
    let about = refusal.refusal().map_or("", Refusal::word);
    if now.condition == Condition::Stopped {
        let stopped = before.is_some_and(|before| before.condition == Condition::Stopped);
        let how = if stopped { "stays stopped" } else { "stops" };
        let text = format!("the server {how}: {refusal}");
        return turns.push(Turn { word: Condition::Stopped.word(), about, text });
    }
    let blocked: Vec<_> = now.blocked.iter().map(|operation| operation.word()).collect();
    let text = format!("blocked ({}): {refusal}", blocked.join(", "));
    turns.push(Turn { word: Condition::Blocked.word(), about, text });
}

fn graces(before: Option<&Moment>, now: &Moment, decision: &Decision, turns: &mut Vec<Turn>) {
    for grace in decision.graces().iter().filter(|_| now.condition != Condition::Stopped) {
        let (about, fact) = (grace.cause.word(), grace.overlooked.fact());
        let was = before.and_then(|before| before.waits_for(grace.cause));
        let is = Waiting::new(grace, decision.judged_at());
        let is_same = was.is_some_and(|was| (was.until, was.then) == (is.until, is.then));
        match grace.until {
            None if !is_same => turns.push(Turn {
                word: Condition::Warned.word(),
                about,
                text: format!("{fact} (only a warning)"),
            }),
            Some(until) if !is_same => {
                let then = match grace.then {
                    Outcome::Stop => "the server stops",
                    Outcome::Block | Outcome::Warn => "operations are blocked",
                };
                let text = format!("grace period ({about}) until {until}, then {then}: {fact}");
                turns.push(Turn { word: Condition::Grace.word(), about, text });
            }
            _ => {}
        }
        if let Some(until) = is.until.filter(|_| is.counts_down)
            && !(is_same && was.is_some_and(|was| was.counts_down))
        {
            let text = format!("the last hour: the server stops at {until}");
            turns.push(Turn { word: Condition::Countdown.word(), about, text });
        }
    }
    let over = before.map(|before| before.graces.as_slice()).unwrap_or_default();
    for was in over.iter().filter(|was| now.waits_for(was.cause).is_none()) {
        let ran_out = was.until.is_some_and(|until| until <= decision.judged_at());
        if ran_out || now.condition == Condition::Stopped {
            continue;
        }
        let how = match was.cause {
            Cause::OverQuota if decision.excesses().is_empty() => {
                "back within the quota".to_string()
            }
            cause => format!("{cause} no longer applies"),
        };
        let text = match was.counts_down {
            true => format!("resolved: {how}; the countdown has stopped"),
            false => format!("resolved: {how}"),
        };
        turns.push(Turn { word: "grace-ends", about: was.cause.word(), text });
    }
}

fn until(last: Option<Day>) -> String {
    let end =
        |last: Day| format!("until {}, when {last} has ended in every time zone", last.ends());
    last.map_or("no end date".to_string(), end)
}
