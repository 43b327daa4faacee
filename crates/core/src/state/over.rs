//! For how long more was used than granted, each cause apart. Obeys `docs/format.md`, section
//! "Over the quota".

use std::collections::BTreeMap;

use crate::entitlement::{Cause, Count, excess};
use crate::license::LicenseBody;
use crate::state::Noted;
use crate::time::{DAY, Instant};
use crate::wire::codec::{Keyed, Limit, Set, record};
use crate::wire::id::LicenseId;

/// So long within the quota, and what was spent is forgotten: a week.
const FORGOTTEN: u64 = 7 * DAY;
/// What is left is never less than this the first time in a day.
const LEAST: u64 = 3600;
/// So many modules at most are remembered.
const MOST: usize = 4096;

record! {
    /// What is remembered of a slot that used more than it was granted.
    pub struct Overuse {
        /// The license that usage was last held against; zeros before the first.
        pub license: LicenseId,
        /// The most that was used of each module since time adds up.
        pub most: Set<Count, 4096>,
        /// The time that adds up.
        pub spent: Set<Spent>,
    }
}

record! {
    /// The time over the quota that adds up for a cause.
    pub struct Spent {
        /// The cause.
        pub cause: Cause,
        /// Since when it adds up.
        pub first: Instant,
        /// While it is over: since when it would be, had it been so all the time.
        pub since: Option<Noted>,
        /// When it was last solved; as much later as the mark has jumped since.
        pub solved: Instant,
        /// The seconds that had added up then.
        pub seconds: u64,
        /// How many more by a clock that is far ahead.
        pub far: u64,
        /// When an hour was last granted although less was left: by the mark, or by a clock that is
        /// far ahead where only by that less was left.
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
    /// The cause of which more is used than this license grants.
    pub(crate) fn cause_of_overuse(&self) -> Cause {
        let has = |cause: &Cause| self.grace.get(cause).is_some();
        [Cause::OverQuota, Cause::Upgraded].into_iter().find(has).unwrap_or(Cause::OverQuota)
    }

    fn seconds_of_overuse(&self) -> u64 {
        self.grace.get(&self.cause_of_overuse()).map_or(0, |rule| rule.seconds)
    }
}

impl Overuse {
    /// What adds up for the cause that `license` gives it.
    pub fn of(&self, license: &LicenseBody) -> Option<&Spent> {
        self.spent.get(&license.cause_of_overuse())
    }

    /// When what is over began to be so; of several, the latest.
    pub(super) fn began(&self) -> Instant {
        let began = self.spent.iter().filter_map(|spent| {
            let since = spent.since?.mark;
            Some(Instant::new(since.seconds.saturating_add(spent.seconds)))
        });
        began.max().unwrap_or_default()
    }

    /// Another license is in force since `at`: what was used is held against it from then on.
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
        // Also what goes on: under another rule less than an hour of it may be left.
        self.spent.change(|spent| spent.end(at));
        self.license = new.license;
        self.hold(new, usage, at);
    }

    /// Holds what is in use from `at` on against the license in force.
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
            // There are but two causes.
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

    /// The mark has risen. Of a jump no more than a day counts as time within the quota: nobody looked
    /// meanwhile, and the clock may have been set.
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

    /// The pending clock was confirmed: what added up by it has added up, as the mark is now `mark`.
    pub(super) fn confirm(&mut self, mark: Instant) {
        self.spent.change(|spent| {
            spent.seconds = spent.seconds.saturating_add(spent.far);
            // How long ago by that clock it was solved nobody noted.
            (spent.far, spent.solved) = (0, mark);
            spent.eased = spent.eased.map(|eased| eased.min(mark));
        });
    }

    /// The pending clock is gone, and what added up and was granted by it.
    pub(super) fn forget_far(&mut self, mark: Instant) {
        self.spent.change(|spent| {
            spent.far = 0;
            spent.eased = spent.eased.filter(|eased| *eased <= mark);
        });
    }

    /// Changes since when it is over; nothing of it lies after `mark`, but for what a far clock eased.
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

    /// Whether it was over no more for so long that it counts no more.
    fn is_forgotten(&self, seconds: u64, mark: Instant) -> bool {
        self.since.is_none() && passed(self.solved, mark) >= FORGOTTEN.max(seconds)
    }

    /// It is over from `at` on, where the grace of the license has so many `seconds`.
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

    /// It is over no more from `at` on.
    fn end(&mut self, at: Noted) {
        let Some(since) = self.since.take() else { return };
        self.seconds = passed(since.mark, at.mark);
        let by_far = since.far.zip(at.far).map(|(since, at)| passed(since, at));
        self.far = by_far.unwrap_or(0).saturating_sub(self.seconds);
        self.solved = at.mark;
    }
}

/// Whether `new` grants more of something than `old`, and less of nothing.
fn grants_more(new: &LicenseBody, old: &LicenseBody) -> bool {
    let quota = |body: &LicenseBody, module: &str| {
        body.grants.get(module).map_or(Limit::Only(0), |grant| grant.quota)
    };
    let modules = || old.grants.iter().chain(new.grants.iter()).map(|grant| &*grant.module);
    modules().all(|module| quota(new, module) >= quota(old, module))
        && modules().any(|module| quota(new, module) > quota(old, module))
}

/// The most of each module that was used. Where more than fit were, those that were used first.
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
