//! Properties of decisions about any valid license with any usage, at any two instants.

use std::collections::BTreeMap;

use olr_core::crypto::sign::Signer;
use olr_core::entitlement::{Count, Operation, Operations, Outcome};
use olr_core::error::Refusal;
use olr_core::judge::{Decision, Question, decide};
use olr_core::license::{License, LicenseBody, sign_license};
use olr_core::machine::Here;
use olr_core::state::{SlotName, State};
use olr_core::time::Instant;
use olr_core::wire::codec::{Limit, Set};

use super::SNAKEOIL;
use super::value::{Source, Value};
use crate::machine::factors;

/// State of a server with a license.
const SERVER: &str = include_str!("../../../../fixtures/state/installed.txt");

/// Input: the body of a license, the usage, three instants as seconds after the mark (start of the
/// usage, and the two decisions), and how many more of the first module are asked for.
pub fn judgement(bytes: &[u8]) {
    let mut from = Source(bytes);
    let body = LicenseBody::read(&mut from);
    let usage = Set::<Count, 4096>::read(&mut from);
    let [began, first, second] = [(); 3].map(|()| u64::read(&mut from));
    let more = u64::read(&mut from);
    let mut state = server();
    let slot = state.memory().slots[0].name.clone();
    let Some(license) = for_server(body, &state) else { return };
    let mark = state.memory().mark.seconds;
    let at = |seconds: u64| Instant::new(mark.saturating_add(seconds));
    state.accept(&license, at(began)).unwrap();
    state.report(&slot, &usage, at(began)).unwrap();
    let (first, second) = (at(first.min(second)), at(first.max(second)));
    let [before, after] = [first, second].map(|clock| judged(&state, &slot, clock));
    for decision in [&before, &after] {
        says_what_it_blocks(decision, &license);
        answers_like_a_slow_hand(decision, &license, &usage, more);
    }
    // Nothing changes before `next_change`, except the reason about a clock that is far ahead.
    if before.next_change().is_none_or(|change| second < change)
        && before.judged_at() < after.judged_at()
    {
        assert_eq!(blocked(&before), blocked(&after), "the answer changed before `next_change`");
        assert_eq!(before.graces(), after.graces());
        if !after.clock_is_pending() {
            assert_eq!(before.reasons(), after.reasons());
        }
    }
    // Time alone never allows more, as long as no other license takes effect.
    if before.next_license().is_none() && license.body().starts.begins() <= before.judged_at() {
        let worse = before.blocked().without(&after.blocked());
        assert_eq!(
            worse.iter().count(),
            0,
            "time alone allowed {:?} again",
            worse.iter().collect::<Vec<_>>()
        );
    }
}

/// Adapts the license to this server, and signs it. `None` if its content is not allowed.
fn for_server(mut body: LicenseBody, state: &State) -> Option<License> {
    let held = state.memory().slots[0].installed.as_ref().unwrap();
    let here = License::verify(&held.license, &SNAKEOIL.trust).unwrap();
    let here = here.body();
    (body.product, body.slot) = (here.product.clone(), here.slot.clone());
    (body.install_key, body.request) = (here.install_key, here.request);
    (body.policy, body.extensions) = (here.policy.clone(), Set::default());
    let issuer = (&SNAKEOIL.issuer as &dyn Signer, SNAKEOIL.delegation.as_slice());
    sign_license(&body, &SNAKEOIL.trust, &[issuer], &[]).ok()
}

fn server() -> State {
    let (_, digits) = SERVER.split_once("\n\n").unwrap();
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |two: &[char]| u8::from_str_radix(&String::from_iter(two), 16).unwrap();
    State::parse(&digits.chunks(2).map(byte).collect::<Vec<_>>()).unwrap()
}

fn judged(state: &State, name: &SlotName, clock: Instant) -> Decision {
    let slot = state.memory().slots.get(name).unwrap();
    let factors = factors("server");
    let here = Here { factors: &factors, ..Here::default() };
    let decision = decide(clock, here, state, slot);
    assert_eq!(decision, decide(clock, here, state, slot), "equal calls disagree");
    decision
}

/// Operations that stay allowed, and the refusal, for each reason.
fn blocked(decision: &Decision) -> Vec<(&Operations, Option<Refusal>)> {
    let each = decision.reasons().iter();
    each.map(|blocked| (&blocked.allowed, blocked.why.refusal())).collect()
}

fn says_what_it_blocks(decision: &Decision, license: &License) {
    assert_eq!(decision.refusal().is_none(), decision.reasons().is_empty());
    assert!(
        decision.ended().is_empty() || decision.refusal().is_some(),
        "a cause that ended was not refused"
    );
    let always = &license.body().always;
    let in_force = decision.license().is_some_and(|it| it.body() == license.body());
    for operation in decision.blocked().iter().filter(|_| in_force) {
        assert!(always.get(operation).is_none(), "{operation} is in `always`, but blocked");
    }
    for grace in decision.graces() {
        assert!(grace.until.is_none_or(|until| decision.judged_at() < until), "grace has ended");
        assert_eq!(grace.until.is_none(), grace.then == Outcome::Warn);
    }
}

/// The decision agrees with a naive calculation over all grants.
fn answers_like_a_slow_hand(
    decision: &Decision,
    license: &License,
    usage: &Set<Count, 4096>,
    more: u64,
) {
    let Some(grant) = license.body().grants.first() else { return };
    if decision.license() != Some(license) {
        return;
    }
    let module = &*grant.module;
    let operation = Operation::new("create-user").unwrap();
    let question = Question { adds: &[(module, more)], ..Question::about(operation) };
    let used: BTreeMap<&str, u64> = usage.iter().map(|c| (&*c.module, c.count)).collect();
    let (mut granted, mut in_use) = (Some(0u128), 0u128);
    for other in license.body().grants.iter() {
        if *other.module == *module || !grant.pool.is_empty() && other.pool == grant.pool {
            granted = match other.quota {
                Limit::Only(quota) => granted.map(|granted| granted + u128::from(quota)),
                Limit::Any => None,
            };
            in_use += u128::from(used.get(&*other.module).copied().unwrap_or(0));
        }
    }
    let cap = u128::from(u64::MAX);
    let (granted, in_use) = (granted.map(|granted| granted.min(cap)), in_use.min(cap));
    let fits =
        more == 0 || granted.is_none_or(|granted| (in_use + u128::from(more)).min(cap) <= granted);
    let may = decision.refusal_of(operation).is_none() && license.body().knows(operation);
    assert_eq!(decision.ask(&question).is_yes(), fits && may, "{module}: {more} more");
}
