//! When the answer can change by time alone.

use crate::entitlement::Outcome;
use crate::policy::Decision;
use crate::time::Instant;

/// Before a stop comes a countdown of one hour.
pub const COUNTDOWN: u64 = 3600;
/// Days before the end on which a license that expires says so.
pub const WARNINGS: [u64; 3] = [30, 7, 1];

impl Decision {
    /// The next instant after the one that was judged at, at which something that is said or allowed
    /// can change while nothing but time passes; nothing where it stays so for ever.
    pub fn next_change(&self) -> Option<Instant> {
        let body = self.license.as_ref().map(|license| license.body());
        let next = self.next.as_ref().map(|next| next.body().starts.begins());
        let begins = body.map(|body| body.starts.begins());
        let ends = body.and_then(|body| body.expires).map(|last| last.ends());
        let before = |at: Instant, seconds| Instant::new(at.seconds.saturating_sub(seconds));
        let warnings = ends
            .into_iter()
            .flat_map(|ends| WARNINGS.map(|days| before(ends, days.saturating_mul(86_400))));
        let graces = self.graces.iter().filter_map(|grace| Some((grace.until?, grace.then)));
        let graces = graces.flat_map(|(until, then)| {
            let countdown = (then == Outcome::Stop).then(|| before(until, COUNTDOWN));
            [Some(until), countdown].into_iter().flatten()
        });
        let maintenance = body.and_then(|body| body.maintenance).map(|last| last.ends());
        let all = [next, begins, ends, maintenance].into_iter().flatten();
        all.chain(warnings).chain(graces).filter(|at| *at > self.at).min()
    }
}
