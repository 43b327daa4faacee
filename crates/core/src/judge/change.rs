//! Changes of a decision that time alone causes, and the warnings before them.

use crate::entitlement::Outcome;
use crate::judge::{Decision, Grace};
use crate::license::LicenseBody;
use crate::time::{DAY, Day, Instant};
use crate::wire::codec::Limit;

/// Length in seconds of the countdown before a stop: one hour.
pub const COUNTDOWN: u64 = 3600;

/// Days before the end of the license or of maintenance at which a warning is due.
pub const WARNINGS: [u32; 3] = [30, 7, 1];

impl Grace {
    /// Returns the start of the countdown, or `None` if this grace period does not end in a stop.
    pub fn counts_down_from(&self) -> Option<Instant> {
        let until = self.until.filter(|_| self.then == Outcome::Stop)?;
        Some(before(until, COUNTDOWN))
    }

    /// True if the countdown is running at `at`.
    pub fn counts_down(&self, at: Instant) -> bool {
        self.counts_down_from().is_some_and(|from| from <= at)
    }
}

impl Decision {
    /// Returns the next instant after [`Decision::judged_at`] at which time alone may change the
    /// answer or add a warning. Until then, the answer stays the same.
    ///
    /// Candidates are the start of this license and of the next one, the end of the license and of
    /// maintenance with the warnings before each, and the end of each grace period with its
    /// countdown.
    ///
    /// A clock that is behind the high-water mark, or implausibly far ahead of it, is not
    /// considered here: see [`State::next_clock_change`](crate::state::State::next_clock_change).
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

    /// Returns the last day of the license and the number of days in the warning that is due (30, 7
    /// or 1). `None` if no warning is due, the license has ended, or another license takes over by
    /// then.
    pub fn expires_soon(&self) -> Option<(Day, u32)> {
        let last = self.body()?.expires.filter(|last| self.at < last.ends())?;
        self.near(last, |_| true)
    }

    /// Returns the last day of maintenance and the number of days in the warning that is due, as
    /// [`Decision::expires_soon`] does. `None` also if a license that extends maintenance takes
    /// over by then.
    pub fn maintenance_ends_soon(&self) -> Option<(Day, u32)> {
        let last = self.maintenance().filter(|last| self.at < last.ends())?;
        self.near(last, |next| next.maintained_to() > Limit::Only(last))
    }

    /// Returns the last day of maintenance, if maintenance has ended.
    pub fn maintenance_ended(&self) -> Option<Day> {
        self.maintenance().filter(|last| self.at >= last.ends())
    }

    /// Returns the last day of maintenance, or `None` if the license itself ends on that day or
    /// earlier.
    fn maintenance(&self) -> Option<Day> {
        let body = self.body()?;
        body.maintenance.filter(|last| body.last_day() > Limit::Only(*last))
    }

    /// Returns `last` and the warning that is due, unless the next license takes over by then and
    /// `prolongs` accepts it.
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

/// Instant at which the warning for `days` days is due, counted back from [`Day::ends`].
fn warning(last: Day, days: u32) -> Instant {
    before(last.ends(), u64::from(days).saturating_mul(DAY))
}

fn before(at: Instant, seconds: u64) -> Instant {
    Instant::new(at.seconds.saturating_sub(seconds))
}
