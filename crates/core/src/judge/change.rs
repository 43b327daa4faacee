//! When an answer changes by time alone, and what is said before it does.

use crate::entitlement::Outcome;
use crate::judge::{Decision, Grace};
use crate::license::LicenseBody;
use crate::time::{DAY, Day, Instant};
use crate::wire::codec::Limit;

/// Before a stop a countdown runs for so long: an hour.
pub const COUNTDOWN: u64 = 3600;

/// So many days before a license expires or its maintenance ends, this is said.
pub const WARNINGS: [u32; 3] = [30, 7, 1];

impl Grace {
    /// From when a countdown to its end runs; nothing where no stop follows.
    pub fn counts_down_from(&self) -> Option<Instant> {
        let until = self.until.filter(|_| self.then == Outcome::Stop)?;
        Some(before(until, COUNTDOWN))
    }

    /// Whether the countdown to its end runs at `at`.
    pub fn counts_down(&self, at: Instant) -> bool {
        self.counts_down_from().is_some_and(|from| from <= at)
    }
}

impl Decision {
    /// The next instant after the one that was judged at, at which time alone may bring another
    /// answer, or another warning: the start of the license or of the next one, its end and the
    /// warnings before it, the end of maintenance and the warnings before it, the end of a grace and its last hour. What an
    /// answer says stays the same until then.
    ///
    /// A clock behind what is remembered, or far ahead of it, is the business of
    /// [`State::next_clock_change`](crate::state::State::next_clock_change).
    pub fn next_change(&self) -> Option<Instant> {
        let body = self.license.as_ref().map(|license| license.body());
        let next = self.next_license.as_ref().map(|next| next.body().starts.begins());
        let graces = self.graces.iter().flat_map(|grace| [grace.until, grace.counts_down_from()]);
        let of_body = body.into_iter().flat_map(|body| {
            let ends = [body.expires, body.maintenance];
            let warnings =
                ends.into_iter().flat_map(|day| WARNINGS.map(|d| Some(warning(day?, d))));
            let ends = ends.map(|day| day.map(Day::ends));
            [Some(body.starts.begins())].into_iter().chain(ends).chain(warnings)
        });
        let all = of_body.chain(graces).chain([next]);
        all.flatten().filter(|at| *at > self.at).min()
    }

    /// The last day of the license and the days left in whole warnings (30, 7 or 1), where it is
    /// time to say so: within 30 days, and nothing waits to take over by then.
    pub fn expires_soon(&self) -> Option<(Day, u32)> {
        let last = self.body()?.expires.filter(|last| self.at < last.ends())?;
        self.near(last, |_| true)
    }

    /// The last day of maintenance and the days left, as [`Decision::expires_soon`] says them, where
    /// no license waits that prolongs it.
    pub fn maintenance_ends_soon(&self) -> Option<(Day, u32)> {
        let last = self.maintenance().filter(|last| self.at < last.ends())?;
        self.near(last, |next| next.maintained_to() > Limit::Only(last))
    }

    /// The last day of maintenance, where it has ended.
    pub fn maintenance_ended(&self) -> Option<Day> {
        self.maintenance().filter(|last| self.at >= last.ends())
    }

    /// The last day of maintenance; nothing where the license itself ends no later.
    fn maintenance(&self) -> Option<Day> {
        let body = self.body()?;
        body.maintenance.filter(|last| body.last_day() > Limit::Only(*last))
    }

    /// The days left of an end, unless a license that `prolongs` it takes over by then.
    fn near(&self, last: Day, prolongs: impl Fn(&LicenseBody) -> bool) -> Option<(Day, u32)> {
        let next = self.next_license.as_ref().map(|next| next.body());
        if next.is_some_and(|next| next.starts.begins() <= last.ends() && prolongs(next)) {
            return None;
        }
        let due = |days: &u32| warning(last, *days) <= self.at;
        WARNINGS.into_iter().filter(due).min().map(|days| (last, days))
    }

    fn body(&self) -> Option<&LicenseBody> {
        self.license.as_ref().map(|license| license.body())
    }
}

/// When a warning is due: so many days before the license has ended everywhere.
fn warning(last: Day, days: u32) -> Instant {
    before(last.ends(), u64::from(days).saturating_mul(DAY))
}

fn before(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_sub(seconds))
}
