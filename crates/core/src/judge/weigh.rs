//! Consequences of a rule that fails. Implements `docs/judgement.md`, section "Judgement".

use crate::entitlement::{Cause, Excess, Operations, Outcome};
use crate::error::{Error, Refusal};
use crate::judge::{Blocked, Grace, Judgement};
use crate::license::License;
use crate::time::Instant;

impl Judgement {
    /// Blocks everything except importing a license and the operations that the license never
    /// blocks.
    pub(super) fn stop(&mut self, license: &License, refusal: Error) {
        let Blocked { allowed, why } = Blocked::stopped(refusal);
        self.block(license, allowed, why);
    }

    /// Blocks everything except `allowed` and the operations that the license never blocks.
    fn block(&mut self, license: &License, allowed: Operations, why: Error) {
        self.refusal.get_or_insert_with(|| why.clone());
        let allowed = allowed.and(license.body().always.iter().copied());
        self.reasons.push(Blocked { allowed, why });
    }

    /// Applies the grace rule of the license for `cause`, with a grace period that starts at
    /// `since`. Without a rule or `since`, the server stops at once. The grace period of a machine
    /// that no longer matches starts when the machine last matched, so that restoring a snapshot
    /// does not start a new one.
    pub(super) fn weigh(
        &mut self,
        license: &License,
        cause: Cause,
        since: Option<Instant>,
        at: Instant,
        refusal: Error,
    ) {
        let body = license.body();
        let (Some(rule), Some(since)) = (body.grace.get(&cause), since) else {
            let (since, then) = (since.unwrap_or(at), Outcome::Stop);
            self.ended.push(Grace::new(cause, (since, Some(since)), then, refusal.clone()));
            return self.stop(license, refusal);
        };
        let until = Instant::new(since.seconds.saturating_add(rule.seconds));
        if rule.outcome != Outcome::Warn && at >= until {
            let refusal = match rule.seconds {
                0 => refusal,
                _ => refusal.within(format!("the grace period ended at {until}")),
            };
            let ended = Grace::new(cause, (since, Some(until)), rule.outcome, refusal.clone());
            self.ended.push(ended);
            let blocked = body.enforcement.get(&cause).filter(|_| rule.outcome == Outcome::Block);
            return match blocked {
                Some(rule) => {
                    self.block(license, body.known().without(&rule.blocked), refusal);
                }
                None => self.stop(license, refusal),
            };
        }
        let until = (rule.outcome != Outcome::Warn).then_some(until);
        self.graces.push(Grace::new(cause, (since, until), rule.outcome, refusal));
    }

    /// Applies the grace rule for exceeded quotas. Without such a rule, the excess leads only to a
    /// warning, because any use that would add to it is refused anyway.
    pub(super) fn weigh_quota(
        &mut self,
        license: &License,
        since: Instant,
        at: Instant,
        excess: Excess<'_>,
    ) {
        let fact = format!(
            "{}: {} used, {} granted",
            crate::display::shown(excess.module),
            excess.used,
            excess.granted
        );
        let refusal = Error::refuse(Refusal::QuotaExceeded, fact).rule("judgement-8");
        let cause = license.body().cause_of_overuse();
        match license.body().grace.get(&cause) {
            Some(_) => self.weigh(license, cause, Some(since), at, refusal),
            None => {
                let warning = Grace::new(Cause::OverQuota, (since, None), Outcome::Warn, refusal);
                self.graces.push(warning);
            }
        }
    }
}
