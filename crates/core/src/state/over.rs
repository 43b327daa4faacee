//! Time for which usage exceeded the quotas, accumulated for each cause separately. Implements
//! `docs/judgement.md`, section "Over the quota".

use std::collections::BTreeMap;

use crate::entitlement::{Cause, Count, excess};
use crate::license::LicenseBody;
use crate::state::Noted;
use crate::time::{DAY, Instant};
use crate::wire::codec::{Keyed, Limit, Set, record};
use crate::wire::id::LicenseId;

/// Time within the quota after which accumulated time is forgotten: a week. A longer grace period
/// extends it.
const FORGOTTEN: u64 = 7 * DAY;
/// Minimum grace in seconds when usage exceeds the quota again. Granted at most once a day.
const LEAST: u64 = 3600;
/// Maximum number of modules that are remembered.
const MOST: usize = 4096;

record! {
    /// Time over the quota in one slot.
    pub struct Overuse {
        /// The license that usage was last compared with. All zeros before the first.
        pub license: LicenseId,
        /// Maximum use of each module since time began to accumulate.
        pub most: Set<Count, 4096>,
        /// Accumulated time, by cause.
        pub spent: Set<Spent>,
    }
}

record! {
    /// Accumulated time over the quota for one cause.
    pub struct Spent {
        /// The cause.
        pub cause: Cause,
        /// When the first excess began.
        pub first: Instant,
        /// While usage exceeds the quota: the start that a single excess of the accumulated length
        /// would have.
        pub since: Option<Noted>,
        /// When the last excess ended. Moved forward by later jumps of the mark.
        pub solved: Instant,
        /// Seconds accumulated until the last excess ended.
        pub seconds: u64,
        /// Further seconds accumulated by a far clock only.
        pub far: u64,
        /// When the minimum grace was last granted. By the mark, or by a far clock if only its
        /// seconds made that necessary.
        pub eased: Option<Instant>,
    }
}

impl Default for Overuse {
    fn default() -> Self {
        Self { license: LicenseId([0; 16]), most: Set::default(), spent: Set::default() }
    }
}

impl Keyed for Spent {
    type Key = Cause;
    fn key(&self) -> &Cause {
        &self.cause
    }
}

impl LicenseBody {
    /// Returns the cause that applies when the quotas of this license are exceeded.
    pub(crate) fn cause_of_overuse(&self) -> Cause {
        let has = |cause: &Cause| self.grace.get(cause).is_some();
        [Cause::OverQuota, Cause::Upgraded].into_iter().find(has).unwrap_or(Cause::OverQuota)
    }

    fn seconds_of_overuse(&self) -> u64 {
        self.grace.get(&self.cause_of_overuse()).map_or(0, |rule| rule.seconds)
    }
}

impl Overuse {
    /// Returns the accumulated time for the cause that applies to `license`.
    pub fn of(&self, license: &LicenseBody) -> Option<&Spent> {
        self.spent.get(&license.cause_of_overuse())
    }

    /// Returns when the current excess began; with several causes, the latest start.
    pub(super) fn began(&self) -> Instant {
        let began = self.spent.iter().filter_map(|spent| {
            let since = spent.since?.mark;
            Some(Instant::new(since.seconds.saturating_add(spent.seconds)))
        });
        began.max().unwrap_or_default()
    }

    /// Records that another license took effect at `at`, and compares usage with it from then on.
    pub(super) fn take_over(
        &mut self,
        old: Option<&LicenseBody>,
        new: &LicenseBody,
        usage: &Set<Count, 4096>,
        at: Noted,
    ) {
        if self.license == new.license {
            return;
        }
        let cause = new.cause_of_overuse();
        let changes =
            old.is_some_and(|old| old.cause_of_overuse() != cause && grants_more(new, old));
        if changes || excess(&new.grants, &self.most).is_none() {
            (self.most, self.spent) = (Set::default(), Set::default());
        }
        // This ends a continuing excess too, because the rule of the new license may leave less
        // than the minimum grace.
        self.spent.change(|spent| spent.end(at));
        self.license = new.license;
        self.hold(new, usage, at);
    }

    /// Compares usage from `at` on with the license in effect.
    pub(super) fn hold(&mut self, license: &LicenseBody, usage: &Set<Count, 4096>, at: Noted) {
        let (cause, seconds) = (license.cause_of_overuse(), license.seconds_of_overuse());
        let is_over = excess(&license.grants, usage).is_some();
        if is_over {
            let mut all = self.spent.to_vec();
            all.retain(|spent| spent.cause != cause || !spent.is_forgotten(seconds, at.mark));
            if all.is_empty() {
                self.most = Set::default();
            }
            if all.iter().all(|spent| spent.cause != cause) {
                all.push(Spent::new(cause, at.mark));
            }
            // Cannot fail: there are only two causes.
            self.spent = Set::new(all).unwrap_or_default();
        }
        self.spent.change(|spent| match is_over && spent.cause == cause {
            true => spent.begin(seconds, at),
            false => spent.end(at),
        });
        if self.spent.is_empty() {
            self.most = Set::default();
        } else {
            self.most = most(&self.most, usage);
        }
    }

    /// Handles a rise of the mark. Only one day of a jump counts as time within the quota: nobody
    /// checked the usage in between, and the clock may have been set.
    pub(super) fn rise(&mut self, from: Instant, to: Instant) {
        let jump = passed(from, to).saturating_sub(DAY);
        if jump == 0 {
            return;
        }
        self.spent.change(|spent| {
            if spent.since.is_none() {
                let later = Instant::new(spent.solved.seconds.saturating_add(jump));
                spent.solved = later.min(to);
            }
        });
    }

    /// Handles a confirmed far clock: the time accumulated by it now counts. `mark` is the new
    /// mark.
    pub(super) fn confirm(&mut self, mark: Instant) {
        self.spent.change(|spent| {
            spent.seconds = spent.seconds.saturating_add(spent.far);
            // Nobody recorded when the excess ended by the confirmed clock, so the new mark is
            // used.
            (spent.far, spent.solved) = (0, mark);
            spent.eased = spent.eased.map(|eased| eased.min(mark));
        });
    }

    /// Discards the time accumulated, and the minimum grace granted, by a far clock.
    pub(super) fn forget_far(&mut self, mark: Instant) {
        self.spent.change(|spent| {
            spent.far = 0;
            spent.eased = spent.eased.filter(|eased| *eased <= mark);
        });
    }

    /// Changes the recorded start of each excess. Keeps every instant at or before `mark`, except
    /// `eased` of a far clock.
    pub(super) fn change(&mut self, mark: Instant, change: impl Fn(Noted) -> Noted) {
        self.spent.change(|spent| {
            spent.since = spent.since.map(&change);
            spent.first = spent.first.min(mark);
            spent.solved = spent.solved.min(mark);
        });
    }
}

impl Spent {
    fn new(cause: Cause, at: Instant) -> Self {
        Self { cause, first: at, since: None, solved: at, seconds: 0, far: 0, eased: None }
    }

    /// True if usage has been within the quota long enough to forget the accumulated time.
    fn is_forgotten(&self, seconds: u64, mark: Instant) -> bool {
        self.since.is_none() && passed(self.solved, mark) >= FORGOTTEN.max(seconds)
    }

    /// Starts an excess at `at`. The grace period of the license is `seconds` long.
    fn begin(&mut self, seconds: u64, at: Noted) {
        if self.since.is_some() {
            return;
        }
        let enough = seconds.saturating_sub(LEAST.min(seconds));
        let clock = at.far.unwrap_or(at.mark);
        let is_first = self.eased.is_none_or(|eased| {
            let now = if eased > at.mark { clock } else { at.mark };
            passed(eased, now) >= DAY
        });
        if self.seconds.saturating_add(self.far) > enough && is_first {
            self.eased = Some(if self.seconds > enough { at.mark } else { clock });
            self.seconds = self.seconds.min(enough);
            self.far = self.far.min(enough.saturating_sub(self.seconds));
        }
        let by_far = self.seconds.saturating_add(self.far);
        self.since = Some(Noted {
            mark: before(at.mark, self.seconds),
            far: at.far.map(|far| before(far, by_far)),
        });
    }

    /// Ends an excess at `at`.
    fn end(&mut self, at: Noted) {
        let Some(since) = self.since.take() else { return };
        self.seconds = passed(since.mark, at.mark);
        let by_far = since.far.zip(at.far).map(|(since, at)| passed(since, at));
        self.far = by_far.unwrap_or(0).saturating_sub(self.seconds);
        self.solved = at.mark;
    }
}

/// True if `new` has a higher quota than `old` for some module, and a lower one for none.
fn grants_more(new: &LicenseBody, old: &LicenseBody) -> bool {
    let quota = |body: &LicenseBody, module: &str| {
        body.grants.get(module).map_or(Limit::Only(0), |grant| grant.quota)
    };
    let modules = || old.grants.iter().chain(new.grants.iter()).map(|grant| &*grant.module);
    modules().all(|module| quota(new, module) >= quota(old, module))
        && modules().any(|module| quota(new, module) > quota(old, module))
}

/// Returns the higher of the two counts of each module. If there are too many modules, keeps those
/// in `before`, then the first ones in `now`.
fn most(before: &Set<Count, 4096>, now: &Set<Count, 4096>) -> Set<Count, 4096> {
    let mut all: BTreeMap<&str, &Count> = BTreeMap::new();
    for count in before.iter().chain(now.iter()).filter(|count| count.count > 0) {
        if all.len() == MOST && !all.contains_key(&*count.module) {
            continue;
        }
        let known = all.entry(&count.module).or_insert(count);
        if known.count < count.count {
            *known = count;
        }
    }
    Set::new(all.into_values().cloned().collect()).unwrap_or_else(|_| before.clone())
}

fn passed(from: Instant, to: Instant) -> u64 {
    to.seconds.saturating_sub(from.seconds)
}

fn before(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_sub(seconds))
}
