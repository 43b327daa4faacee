//! Concerns about an answer: reasons why the server will refuse it, or the operator will send it
//! back. Shown before the answer is signed, and before a stored one is handed out again.

use crate::folder::moves::KeyHistory;
use crate::folder::{AskPassphrase, Concern, ConcernKind, Folder, Issue};
use crate::issue::{Stamp, draft};
use crate::ledger::AnswerRecord;
use olr_core::display::{listed, shown};
use olr_core::entitlement::Quotas;
use olr_core::error::{NextStep, Refusal, Remedy, Result};
use olr_core::license::{LicenseBody, read_unverified};
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::time::{DAY, Day, Instant};
use olr_core::trust::Trust;
use olr_core::wire::codec::Limit;
use olr_core::wire::id::LicenseId;

/// Longest plausible age of a request when it is answered. A clock further behind is considered
/// wrong.
const CARRIED: u64 = 30 * DAY;
/// Largest plausible difference by which a correct clock may be ahead of another.
const AHEAD: u64 = DAY;
/// Longest plausible time since the newest answer. A clock further ahead of it is considered wrong.
const RECENT: u64 = 400 * DAY;
/// 2026-01-01. A clock that shows an earlier time is wrong: this program did not exist then.
const MADE: Instant = Instant { seconds: 1_767_225_600 };

impl Folder {
    /// Returns concerns about the answer to `opened`, either a new one or the one stored for this
    /// order. Empty if the draft is refused, because issuing will report that.
    ///
    /// # Errors
    /// Exit 2 when the catalog, the ledger or the revocations cannot be read.
    pub fn foresee(
        &self,
        opened: &OpenedRequest,
        order: &Issue<'_>,
        trust: &Trust,
        ask: AskPassphrase<'_>,
    ) -> Result<Vec<Concern>> {
        let asked = opened.body();
        let mut ledger = self.ledger()?;
        let earlier = ledger.answers_to(asked.request)?;
        let stored = order.stored(&earlier, opened.hash())?;
        let stamp = Stamp { license: LicenseId([0; 16]), answer: 1, issued: order.now };
        let body = match stored {
            Some(answer) => read_unverified(&ledger.license_bytes(answer)?),
            None => draft(opened, order.grant, &self.catalog()?, trust, stamp),
        };
        // Issuing reports a refused draft itself.
        let Ok(body) = body else { return Ok(Vec::new()) };
        let mut history = KeyHistory::of(&mut ledger, asked)?;
        let newest = ledger.newest_issue(stored.map(|own| own.license))?;
        let is_other =
            |answer: &AnswerRecord| stored.is_none_or(|own| own.license != answer.license);
        history.own.retain(is_other);
        let later = history.later_for(asked, body.number);
        let last = match history.newest_for(asked) {
            Some(last) => read_unverified(&ledger.license_bytes(last)?).ok(),
            None => None,
        };
        let next = match history.next_after(asked) {
            Some(next) => Some((next.license, ledger.request_bytes(next)?)),
            None => None,
        };
        drop(ledger);
        let revoked = self.revoked_before(asked, &history, &body)?;
        let fork = self.fork_of(opened, (&history.own, next), trust, ask);
        // Compare a stored answer only with what preceded it.
        let last = last.filter(|last| stored.is_none() || last.number < body.number);
        let (body, last, now) = (&body, last.as_ref(), order.now);
        // After a fork, copies of a home number their requests independently, so a higher number
        // does not mean a newer request.
        let later = later.filter(|_| fork.is_none());
        let compared =
            Compared { asked, body, last, later, newest, now, is_stored: stored.is_some() };
        let fork = fork.filter(|fork| !fork.is_known).map(|fork| fork.concern());
        Ok([fork, revoked].into_iter().flatten().chain(compared.concerns()).collect())
    }
}

impl Folder {
    /// Returns a concern if the vendor's clock is probably wrong, before a server adopts its time.
    ///
    /// # Errors
    /// Exit 2 when the ledger cannot be read.
    pub fn foresee_time(&self, now: Instant) -> Result<Option<Concern>> {
        let newest = self.ledger()?.newest_issue(None)?;
        if is_plausible(now, newest) {
            return Ok(None);
        }
        let why = match newest {
            Some(newest) if now >= MADE => format!("the newest answer here was issued at {newest}"),
            _ => "this program was built later".to_string(),
        };
        let (whose, step) = Wrong::Vendor.words();
        let fact = format!("the clock here says {now}, and {why}: {whose}");
        Ok(Some(Concern { is_ours: true, ..Concern::new(ConcernKind::Clocks, fact, None, step) }))
    }
}

/// An answer, and what it is compared with.
struct Compared<'a> {
    asked: &'a RequestBody,
    /// The answer.
    body: &'a LicenseBody,
    /// The previous answer to the same installation.
    last: Option<&'a LicenseBody>,
    /// Number of a later request of that installation that was answered.
    later: Option<u64>,
    /// Time of the newest other answer, to any installation.
    newest: Option<Instant>,
    /// The vendor's clock.
    now: Instant,
    /// True if the answer was issued before and would be handed out again.
    is_stored: bool,
}

impl Compared<'_> {
    fn concerns(&self) -> Vec<Concern> {
        let (asked, body) = (self.asked, self.body);
        let fewer = self.last.and_then(|last| fewer(asked, body, last));
        let maintenance = self.last.and_then(|last| maintenance(body, last));
        let all = [in_use(asked, body), fewer, self.end(), maintenance, self.superseded()];
        all.into_iter().flatten().chain(self.clocks()).map(|concern| self.naming(concern)).collect()
    }

    /// For a stored answer, adds to the next step that the request must be answered again: the same
    /// order would return the stored answer, whatever was corrected.
    fn naming(&self, mut concern: Concern) -> Concern {
        let is_mended_here = match concern.about {
            ConcernKind::InUse
            | ConcernKind::Fewer
            | ConcernKind::End
            | ConcernKind::Maintenance => true,
            ConcernKind::Clocks => concern.is_ours,
            _ => false,
        };
        if self.is_stored && is_mended_here {
            let step = &concern.next_step;
            concern.next_step = match concern.about {
                ConcernKind::InUse => NextStep::new(
                    format!("{step}; after a change to the grant, answer again"),
                    &[Remedy::AcceptOverQuota, Remedy::IssueAgain],
                ),
                _ => NextStep::new(format!("{step}, then answer again"), &[Remedy::IssueAgain]),
            };
        }
        concern
    }

    fn superseded(&self) -> Option<Concern> {
        let (later, own) = (self.later?, self.body.number);
        let fact = format!(
            "request {later} of this server was already answered, and this is request {own}: a \
             server that imported that answer cannot import this one"
        );
        let step = "answer the newest request of this server";
        Some(Concern::new(ConcernKind::Later, fact, Some(Refusal::Superseded), step))
    }

    fn end(&self) -> Option<Concern> {
        let (body, step) = (self.body, "correct `expires` in the grant");
        let new = body.expires?;
        // A stored license may have expired since it was issued.
        let now = if self.is_stored { body.issued.max(self.now) } else { body.issued };
        if new.ends() <= now {
            let fact = format!("this license expired on {new}: the server refuses it");
            return Some(Concern::new(ConcernKind::End, fact, Some(Refusal::Expired), step));
        }
        let last = self.last?;
        let renews = self.asked.renews.is_some();
        let is_later = last.expires.is_some_and(|old| if renews { new > old } else { new >= old });
        if is_later {
            return None;
        }
        let old = last.expires.map_or("no end date".to_string(), |day: Day| format!("until {day}"));
        let what = if renews {
            "the request asks for a renewal, but this license"
        } else {
            "this license"
        };
        let fact = format!("{what} ends on {new}, no later than the previous license ({old})");
        Some(Concern::new(ConcernKind::End, fact, None, step))
    }

    fn clocks(&self) -> Option<Concern> {
        let (asked, body) = (self.asked, self.body);
        let (server, vendor) = (asked.clock, body.issued);
        // A server that renews a license has imported it, so it has seen when that license was
        // issued.
        let seen = self.last.filter(|last| asked.renews == Some(last.license));
        let seen = seen.map(|last| last.issued);
        let lags = |clock: Instant, behind: Instant| {
            clock.seconds.saturating_add(body.tolerance.into()) < behind.seconds
        };
        let ahead = is_ahead(server, vendor);
        let behind = vendor.seconds > server.seconds.saturating_add(CARRIED)
            || seen.is_some_and(|seen| lags(server, seen));
        let then = if self.is_stored { " when this request was answered" } else { "" };
        let (says, apart) =
            (format!("{server}, the clock here {vendor}{then}"), apart(server, vendor));
        if !ahead && !behind {
            let fact = format!(
                "this request is {apart} old, or the server's clock is behind, or the clock here is ahead (the server's clock said {says}); if the server's clock is behind, it refuses this license as issued in the future"
            );
            let step = "compare the clock here with a watch, and ask when the request was made";
            let refusal = Some(Refusal::ClockRolledBack);
            let is_old = lags(server, vendor);
            return is_old
                .then(|| Concern::new(ConcernKind::Age, fact, refusal, step))
                .or(self.set_back());
        }
        let wrong = match likely(server, vendor, self.newest) {
            _ if self.is_of_the_future() && !is_ahead(server, self.now) => Wrong::VendorThen,
            Wrong::Vendor if self.is_stored && ahead && !is_ahead(server, self.now) => {
                Wrong::VendorThen
            }
            Wrong::Either if seen.is_some_and(|seen| lags(server, seen)) => Wrong::Server,
            Wrong::Either if seen.is_some_and(|seen| lags(vendor, seen)) => Wrong::Vendor,
            likely => likely,
        };
        let (whose, step) = wrong.words();
        let ended = body.expires.is_some_and(|last| last.ends() <= server);
        let (refusal, there) = match (ahead, ended) {
            (false, _) => (
                Some(Refusal::ClockRolledBack),
                ": while its clock is behind, the server refuses this license as issued in the future",
            ),
            (true, true) => (
                Some(Refusal::Expired),
                ": by the server's clock, this license has already expired",
            ),
            (true, false) => (
                None,
                ": the clock here set the dates of this license that the grant does not state",
            ),
        };
        let side = if ahead { "ahead" } else { "behind" };
        let fact = format!("the server's clock is {apart} {side} (it said {says}); {whose}{there}");
        let concern = Concern::new(ConcernKind::Clocks, fact, refusal, step);
        Some(Concern { is_ours: wrong != Wrong::Server, ..concern })
    }

    /// True if a stored answer was issued more than a day after what the vendor's clock shows now.
    fn is_of_the_future(&self) -> bool {
        self.is_stored && is_ahead(self.body.issued, self.now)
    }

    /// Concern for a stored answer that agrees with the server's clock, but not with the vendor's.
    fn set_back(&self) -> Option<Concern> {
        let (issued, now) = (self.body.issued, self.now);
        let fact = format!(
            "this request was answered at {issued}, which is in the future for the clock here ({now}): the clock here is probably wrong now"
        );
        let step = "set the clock of this computer";
        self.is_of_the_future().then(|| Concern::new(ConcernKind::Clocks, fact, None, step))
    }
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
        "this license grants fewer than the server uses ({}): the server refuses it while that \
         many are in use, unless its operator accepts exceeding the quota",
        listed(over.iter().map(String::as_str))
    );
    let step = NextStep::new(
        "grant at least the number in use, or ask the customer to use less first, or to accept exceeding the quota",
        &[Remedy::AcceptOverQuota],
    );
    let refusal = Some(Refusal::QuotaExceeded);
    (!over.is_empty()).then(|| Concern::new(ConcernKind::InUse, fact, refusal, step))
}

fn fewer(asked: &RequestBody, body: &LicenseBody, last: &LicenseBody) -> Option<Concern> {
    let less = last.grants.iter().filter_map(|old| {
        let new = body.grants.get(&*old.module).map(|grant| grant.quota);
        let now = new.map_or("none".to_string(), |quota| quota.to_string());
        let is_less = new.unwrap_or(Limit::Only(0)) < old.quota;
        is_less.then(|| format!("{}: {now}, previously {}", shown(&old.module), old.quota))
    });
    let less: Vec<_> = less.collect();
    let fact = format!(
        "this license grants less than the previous {} ({})",
        if asked.renews.is_some() { "license" } else { "license for this server" },
        listed(less.iter().map(String::as_str))
    );
    let step = "check the grant";
    (!less.is_empty()).then(|| Concern::new(ConcernKind::Fewer, fact, None, step))
}

/// Concern if maintenance ends earlier than in the previous answer: releases that are covered now
/// would no longer be.
fn maintenance(body: &LicenseBody, last: &LicenseBody) -> Option<Concern> {
    let new = body.maintenance.filter(|new| Limit::Only(*new) < last.maintained_to())?;
    let old = last.maintenance.map_or("no end date".to_string(), |day| format!("until {day}"));
    let fact = format!(
        "maintenance of this license ends on {new}, earlier than in the previous license ({old})"
    );
    Some(Concern::new(ConcernKind::Maintenance, fact, None, "correct `maintenance` in the grant"))
}

/// Which clock is probably wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Server,
    Vendor,
    /// The vendor's, at the time the stored answer was issued.
    VendorThen,
    Either,
}

impl Wrong {
    /// Description, and the next step.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Server => (
                "the server's clock is probably wrong",
                "have the server's clock set, and ask for a new request",
            ),
            Self::Vendor => ("the clock here is probably wrong", "set the clock of this computer"),
            Self::VendorThen => (
                "the clock here was probably wrong then",
                "check that the clock of this computer is now correct",
            ),
            Self::Either => (
                "one of the two clocks is probably wrong",
                "compare both with a watch, and set the wrong one; if it is the server's, ask for a new request",
            ),
        }
    }
}

/// True if a clock is implausibly far ahead of another.
fn is_ahead(clock: Instant, of: Instant) -> bool {
    clock.seconds > of.seconds.saturating_add(AHEAD)
}

/// True if a clock is plausible, given the newest answer to any installation.
fn is_plausible(clock: Instant, newest: Option<Instant>) -> bool {
    let fits = |newest: Instant| {
        clock.seconds.saturating_add(AHEAD) >= newest.seconds
            && clock.seconds <= newest.seconds.saturating_add(RECENT)
    };
    clock >= MADE && newest.is_none_or(fits)
}

/// Decides which of two differing clocks is probably wrong, given the newest answer to any
/// installation.
fn likely(server: Instant, vendor: Instant, newest: Option<Instant>) -> Wrong {
    match (is_plausible(server, newest), is_plausible(vendor, newest)) {
        (false, true) => Wrong::Server,
        (true, false) => Wrong::Vendor,
        _ => Wrong::Either,
    }
}

/// Distance between two clocks: in days, or in hours below two days.
fn apart(one: Instant, other: Instant) -> String {
    let seconds = one.seconds.abs_diff(other.seconds);
    match seconds / DAY {
        0 | 1 if seconds / 3600 == 1 => "1 hour".to_string(),
        0 | 1 => format!("{} hours", seconds / 3600),
        days => format!("{days} days"),
    }
}
