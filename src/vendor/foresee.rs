//! What a server will refuse of an answer, or its operator will send back: said before it is signed.

use crate::display::{listed, shown};
use crate::entitlement::Quotas;
use crate::error::{Refusal, Result};
use crate::issue::{Stamp, draft};
use crate::license::LicenseBody;
use crate::request::{OpenedRequest, RequestBody};
use crate::time::{Day, Instant};
use crate::trust::Trust;
use crate::vendor::{Folder, Issue};
use crate::wire::codec::Limit;
use crate::wire::id::LicenseId;

/// What looks like a mistake in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concern {
    /// What it is about.
    pub about: About,
    /// In words.
    pub fact: String,
    /// What the server will say to it, where it refuses.
    pub refusal: Option<Refusal>,
    /// One next step.
    pub next_step: &'static str,
}

/// What a concern is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// More is in use than granted.
    InUse,
    /// Less is granted than by the last answer.
    Fewer,
    /// The license ends no later than the last answer, or has ended.
    End,
    /// Maintenance ends earlier than that of the last answer.
    Maintenance,
    /// The clocks of server and vendor differ.
    Clocks,
    /// The request was made days ago, or the server's clock is behind.
    Age,
}

impl About {
    /// Its word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InUse => "in-use",
            Self::Fewer => "fewer",
            Self::End => "end",
            Self::Maintenance => "maintenance",
            Self::Clocks => "clocks",
            Self::Age => "age",
        }
    }
}

impl Concern {
    /// Whether to ask before signing: the server refuses it, or it does not do what was asked for.
    pub fn asks(&self) -> bool {
        !matches!(self.about, About::Fewer | About::Age)
    }

    fn new(about: About, fact: String, refusal: Option<Refusal>, next_step: &'static str) -> Self {
        Self { about, fact, refusal, next_step }
    }
}

const DAY: u64 = 86_400;
/// A request is carried for so long at most; a clock that is further behind is taken to be wrong.
const CARRIED: u64 = 30 * DAY;
/// A server's clock that is further ahead than this is not right where the vendor's is.
const AHEAD: u64 = DAY;
/// What was issued last is so old at most, where a clock is right.
const RECENT: u64 = 400 * DAY;
/// 2026-01-01. No clock that is right says a day before this program was made.
const MADE: Instant = Instant { seconds: 1_767_225_600 };

impl Folder {
    /// What the server will refuse of the answer to `opened`, or its operator send back. Nothing
    /// where a stored answer is given again, or where the answer is refused here.
    ///
    /// # Errors
    /// Exit 2 when the records cannot be read.
    pub fn foresee(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
    ) -> Result<Vec<Concern>> {
        let asked = opened.body();
        let earlier = self.answers_to(asked.request)?;
        let grant = order.grant.digest();
        let is_stored = |last: &crate::vendor::IssuedRecord| {
            !order.again && last.answers(order.request) && last.is_for(&grant)
        };
        if earlier.last().is_some_and(is_stored) {
            return Ok(Vec::new());
        }
        let stamp = Stamp { license: LicenseId([0; 16]), answer: 1, issued: order.now };
        let Ok(body) = draft(opened, order.grant, &self.catalog()?, trust, stamp) else {
            return Ok(Vec::new());
        };
        let records = self.issued("")?;
        let newest = records.iter().filter_map(|record| Instant::parse(&record.issued).ok()).max();
        let install_key = data_encoding::HEXLOWER.encode(&asked.install_key);
        let of_this = self.key_of(asked)?.newest_for(&install_key, asked.request);
        // A record that is damaged tells nothing here; whatever needs it says so.
        let last = of_this.and_then(|record| record.license_body().ok());
        Ok(concerns(asked, &body, last.as_ref(), newest))
    }
}

/// What is to be said of `body`, the answer to `asked`, after the answer `last` to the same
/// installation; `newest` is the instant of the newest answer to anybody.
fn concerns(
    asked: &RequestBody,
    body: &LicenseBody,
    last: Option<&LicenseBody>,
    newest: Option<Instant>,
) -> Vec<Concern> {
    let of_clocks = clocks(asked, body, last, newest);
    let all = [in_use(asked, body), last.and_then(|last| fewer(asked, body, last))];
    let all = all.into_iter().flatten().chain(end(asked, body, last));
    let all = all.chain(last.and_then(|last| maintenance(body, last))).chain(of_clocks);
    all.collect()
}

fn in_use(asked: &RequestBody, body: &LicenseBody) -> Option<Concern> {
    let quotas = Quotas::new(&body.grants, &asked.usage);
    let over = quotas.excesses(&body.grants, &asked.usage);
    let over: Vec<_> = over
        .map(|over| {
            format!("{}: {} granted, {} in use", shown(over.module), over.granted, over.used)
        })
        .collect();
    let fact = format!(
        "fewer are granted than this server uses ({}): its import is refused, unless its operator adds --accept-over-quota",
        listed(over.iter().map(String::as_str))
    );
    let step = "grant what is in use, or ask the customer to use less first";
    let refusal = Some(Refusal::QuotaExceeded);
    (!over.is_empty()).then(|| Concern::new(About::InUse, fact, refusal, step))
}

fn fewer(asked: &RequestBody, body: &LicenseBody, last: &LicenseBody) -> Option<Concern> {
    let is_less = |new: Option<&Limit<u64>>, old: &Limit<u64>| match (new, old) {
        (_, Limit::Only(0)) | (Some(Limit::Any), _) => false,
        (Some(Limit::Only(new)), Limit::Only(old)) => new < old,
        _ => true,
    };
    let less = last.grants.iter().filter_map(|old| {
        let new = body.grants.get(&*old.module).map(|grant| &grant.quota);
        let in_words = |quota: &Limit<u64>| match quota {
            Limit::Only(count) => count.to_string(),
            Limit::Any => "unlimited".to_string(),
        };
        let now = new.map_or("none".to_string(), in_words);
        let before = in_words(&old.quota);
        is_less(new, &old.quota).then(|| format!("{}: {now}, before {before}", shown(&old.module)))
    });
    let less: Vec<_> = less.collect();
    let fact = format!(
        "less is granted than by the last answer to this {} ({})",
        if asked.renews.is_some() { "license" } else { "server" },
        listed(less.iter().map(String::as_str))
    );
    let step = "check the grant";
    (!less.is_empty()).then(|| Concern::new(About::Fewer, fact, None, step))
}

fn end(asked: &RequestBody, body: &LicenseBody, last: Option<&LicenseBody>) -> Option<Concern> {
    let step = "correct expires in the grant";
    let new = body.expires?;
    if new.ends() <= body.issued {
        let fact = format!("this license ended on {new}: the server refuses it");
        return Some(Concern::new(About::End, fact, Some(Refusal::Expired), step));
    }
    let last = last?;
    let renews = asked.renews.is_some();
    let is_later = last.expires.is_some_and(|old| if renews { new > old } else { new >= old });
    if is_later {
        return None;
    }
    let old = last.expires.map_or("without an end".to_string(), |day: Day| format!("until {day}"));
    let what = if renews { "a renewal was asked for, and this" } else { "this license" };
    let fact = format!("{what} ends on {new}, no later than the last answer, which is {old}");
    Some(Concern::new(About::End, fact, None, step))
}

/// What is installed now may be updated for longer than what this license allows.
fn maintenance(body: &LicenseBody, last: &LicenseBody) -> Option<Concern> {
    let new = body.maintenance.filter(|new| last.maintenance.is_none_or(|old| *new < old))?;
    let old = last.maintenance.map_or("without an end".to_string(), |day| format!("until {day}"));
    let fact = format!(
        "maintenance of this license ends on {new}, earlier than that of the last answer, which is {old}"
    );
    Some(Concern::new(About::Maintenance, fact, None, "correct maintenance in the grant"))
}

/// Whose clock is likely wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Server,
    Vendor,
    Either,
}

/// Which of two clocks that differ is likely wrong, by the newest answer to anybody.
fn likely(server: Instant, vendor: Instant, newest: Option<Instant>) -> Wrong {
    let is_plausible = |clock: Instant| {
        let fits = |newest: Instant| {
            clock.seconds.saturating_add(AHEAD) >= newest.seconds
                && clock.seconds <= newest.seconds.saturating_add(RECENT)
        };
        clock >= MADE && newest.is_none_or(fits)
    };
    match (is_plausible(server), is_plausible(vendor)) {
        (false, true) => Wrong::Server,
        (true, false) => Wrong::Vendor,
        _ => Wrong::Either,
    }
}

fn clocks(
    asked: &RequestBody,
    body: &LicenseBody,
    last: Option<&LicenseBody>,
    newest: Option<Instant>,
) -> Option<Concern> {
    let (server, vendor) = (asked.clock, body.issued);
    // A server has seen the instant of the license that it renews.
    let seen = last.filter(|last| asked.renews == Some(last.license)).map(|last| last.issued);
    let lags = |clock: Instant, behind: Instant| {
        clock.seconds.saturating_add(body.tolerance.into()) < behind.seconds
    };
    let ahead = server.seconds > vendor.seconds.saturating_add(AHEAD);
    let behind = vendor.seconds > server.seconds.saturating_add(CARRIED)
        || seen.is_some_and(|seen| lags(server, seen));
    let (says, apart) = (format!("{server}, the clock here {vendor}"), apart(server, vendor));
    if !ahead && !behind {
        let fact = format!(
            "this request is {apart} old, or the server's clock is behind (it said {says}); a clock that is behind refuses the license"
        );
        let step = "ask when the request was made";
        let refusal = Some(Refusal::ClockRolledBack);
        let is_old = lags(server, vendor);
        return is_old.then(|| Concern::new(About::Age, fact, refusal, step));
    }
    let wrong = match likely(server, vendor, newest) {
        Wrong::Either if seen.is_some_and(|seen| lags(server, seen)) => Wrong::Server,
        Wrong::Either if seen.is_some_and(|seen| lags(vendor, seen)) => Wrong::Vendor,
        likely => likely,
    };
    let (whose, step) = match wrong {
        Wrong::Server => (
            "the server's clock is likely wrong",
            "have the server's clock set, and ask for a new request",
        ),
        Wrong::Vendor => {
            ("the clock here is likely wrong", "set the clock of this computer, and issue then")
        }
        Wrong::Either => (
            "one of the two is wrong",
            "compare both with a watch; set the wrong one, and where it is the server's, ask for a new request",
        ),
    };
    let ended = body.expires.is_some_and(|last| last.ends() <= server);
    let (refusal, there) = match (ahead, ended) {
        (false, _) => (
            Some(Refusal::ClockRolledBack),
            ": while the server's clock is behind, it refuses this license as issued in its future",
        ),
        (true, true) => {
            (Some(Refusal::Expired), ": by the server's clock this license has ended already")
        }
        (true, false) => (None, ": the days of this license are counted by the clock here"),
    };
    let side = if ahead { "ahead" } else { "behind" };
    let fact = format!("the server's clock is {apart} {side} (it said {says}); {whose}{there}");
    Some(Concern::new(About::Clocks, fact, refusal, step))
}

/// How far two clocks are apart, in days, or in hours below two days.
fn apart(one: Instant, other: Instant) -> String {
    let seconds = one.seconds.abs_diff(other.seconds);
    match seconds / DAY {
        0 | 1 => format!("{} hours", seconds / 3600),
        days => format!("{days} days"),
    }
}
