//! Drafts a license from an opened request and a grant. Accesses no files and no keys.

use crate::catalog::{Catalog, MachinePolicy};
use olr_core::display::{Shows, difference, listed, shown};
use olr_core::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use olr_core::license::LicenseBody;
use olr_core::machine::{Commitments, Enrolled, FactorKind, Policy};
use olr_core::request::{OpenedRequest, RequestBody};
use olr_core::time::Instant;
use olr_core::trust::Trust;
use olr_core::wire::codec::{Note, Set, Text};
use olr_core::wire::id::LicenseId;

mod fit;
mod grant;
mod starter;
mod terms;
use grant::in_grant;
pub use grant::{Days, GrantFile, STARTER_GRANT};
pub use starter::starter_grant;
pub use terms::Terms;

/// Seconds by which a server's clock may be behind the latest time that it remembers: 48 hours.
const TOLERANCE: u32 = 172_800;

/// Fields of a license that come neither from the request nor from the grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Id of the new license.
    pub license: LicenseId,
    /// Number of this answer among the answers to its request, from 1.
    pub answer: u32,
    /// The vendor's clock.
    pub issued: Instant,
}

/// Checks a request against a grant, in the documented order of refusals, and drafts the license.
///
/// # Errors
/// `wrong-product`, `wrong-slot`, `wrong-licensee`, `offline-not-allowed`; exit 2 when the grant
/// does not fit the catalog, or the machine shows too few factors, or factors of too little weight,
/// for the policy.
pub fn draft(
    request: &OpenedRequest,
    grant: &GrantFile,
    catalog: &Catalog,
    trust: &Trust,
    stamp: Stamp,
) -> Result<LicenseBody> {
    let body = request.body();
    ensure_fit(body, grant, trust)?;
    let kind = grant.kind(catalog)?;
    grant.ensure_allowed(kind, catalog)?;
    let terms = Terms::of(grant, kind, catalog)?;
    let days = grant.days(stamp.issued, kind)?;
    Ok(LicenseBody {
        license: stamp.license,
        request: body.request,
        request_hash: request.hash(),
        number: body.number,
        answer: stamp.answer,
        install_key: body.install_key,
        licensee: body.licensee.clone(),
        product: body.product.clone(),
        slot: body.slot.clone(),
        type_id: Text::new(&grant.license_type)?,
        model: kind.model,
        edition: kind.edition,
        grants: grant.grants(kind, catalog)?,
        languages: Set::new(grant.languages.iter().map(|l| Text::new(l)).collect::<Result<_>>()?)
            .map_err(|error| in_grant(error, "grant: languages"))?,
        issued: stamp.issued,
        starts: days.starts,
        expires: days.expires,
        maintenance: days.maintenance,
        tolerance: TOLERANCE,
        policy: machine_policy(body, grant.machine_policy(kind, catalog)?)?,
        grace: terms.grace,
        enforcement: terms.enforcement,
        always: terms.always,
        operations: catalog.operations.clone(),
        replaces: body.renews,
        note: Note::new(&grant.note).map_err(|error| in_grant(error, "grant: note"))?,
        extensions: Set::default(),
    })
}

/// Checks that product, slot, licensee and license key of the request are those of the grant.
fn ensure_fit(body: &RequestBody, grant: &GrantFile, trust: &Trust) -> Result<()> {
    if *body.product != *grant.product {
        let fact = format!(
            "the request is for product {}, but the grant is for {}{}",
            shown(&body.product),
            shown(&grant.product),
            apart(&body.product, &grant.product, Shows::Whole)
        );
        return Err(Error::refuse(Refusal::WrongProduct, fact).rule("request-13"));
    }
    let ids = || trust.body().products.iter().map(|product| &*product.id);
    let product = trust.product(Some(&body.product)).map_err(under("request-13"));
    let product = product.map_err(|error| error.hint(another("products", ids())))?;
    if *body.slot != *grant.slot {
        let fact = format!(
            "the request is for slot {}, but this key belongs to slot {}{}",
            shown(&body.slot),
            shown(&grant.slot),
            apart(&body.slot, &grant.slot, Shows::Whole)
        );
        return Err(Error::refuse(Refusal::WrongSlot, fact).rule("request-14"));
    }
    if !product.slots.contains(&body.slot) {
        let (id, slot) = (shown(&product.id), shown(&body.slot));
        let fact = format!("product {id} has no slot {slot} in the vendor's trust");
        let hint = another("slots", product.slots.iter().map(|slot| &**slot));
        return Err(Error::refuse(Refusal::WrongSlot, fact).hint(hint).rule("request-14"));
    }
    for (what, asked, granted) in [
        ("licensee", &body.licensee, &grant.licensee),
        ("license key", &body.license_key.0, &grant.key),
    ] {
        if **asked != **granted {
            let how = if asked.to_lowercase() == granted.to_lowercase() {
                "differs from the grant only in upper and lower case"
            } else {
                "differs from the grant"
            };
            let mut fact = format!("the {what} of the request {how}");
            // Show the name, but never the license key.
            if what == "licensee" {
                fact += &format!(": \"{}\", not \"{}\"", shown(asked), shown(granted));
                fact += &apart(asked, granted, Shows::Whole);
            } else {
                fact += &apart(asked, granted, Shows::Masked);
            }
            return Err(Error::refuse(Refusal::WrongLicensee, fact).rule("request-15"));
        }
    }
    Ok(())
}

/// Next step if request and grant agree on a name that the trust lacks. It has these `names`.
fn another<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> String {
    format!("ask for a request for one of its {what}, and correct the grant: {}", listed(names))
}

/// Describes how two texts differ where that is hard to see, such as look-alike letters.
fn apart(asked: &str, granted: &str, shows: Shows) -> String {
    let told = difference(("the request", asked), ("the grant", granted), shows);
    told.map(|told| format!("; {told}")).unwrap_or_default()
}

/// Builds the machine policy: commitments to the factors that the request found, with the weights
/// of the catalog.
fn machine_policy(body: &RequestBody, (name, terms): (&str, &MachinePolicy)) -> Result<Policy> {
    let commitments = Commitments::new(&body.commitment_key.0);
    let mut enrolled: Vec<Enrolled> = Vec::new();
    for factor in body.found.iter().filter(|factor| factor.counts()) {
        let weight = weight(terms, factor.kind);
        let commitment = commitments.commit(factor.kind, &factor.value);
        if weight > 0 && !enrolled.iter().any(|other| other.commitment == commitment) {
            enrolled.push(Enrolled { kind: factor.kind, class: factor.class, weight, commitment });
        }
    }
    let mut policy = Policy {
        name: Text::new(name)?,
        threshold: terms.minimum.max(1),
        hardware: terms.hardware,
        enrolled: Set::new(enrolled)?,
    };
    policy.hardware = policy.stops_a_copy();
    let total = policy.total();
    if policy.enrolled.len() < 2 || total < policy.threshold {
        let fact = format!(
            "policy {name} needs at least 2 factors of a total weight of {}; of the factors of this request, it weighs {}, with a total weight of {total}",
            policy.threshold,
            policy.enrolled.len(),
        );
        let hint = NextStep::new(
            "ask for a request with more factors that this policy weighs, such as pinned values, or values that only root may read",
            &[Remedy::Pin, Remedy::ReadPrivileged],
        );
        return Err(Error::unable(Problem::Content, fact, hint));
    }
    let share = total.saturating_mul(terms.share).div_ceil(100);
    policy.threshold = policy.threshold.max(share).min(total);
    Ok(policy)
}

fn weight(policy: &MachinePolicy, kind: FactorKind) -> u16 {
    policy.weights.get(&kind).copied().unwrap_or(0)
}
