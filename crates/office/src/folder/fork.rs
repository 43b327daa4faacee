//! Determines whether two requests of one installation belong to one history, or whether its home
//! was copied in between. Evaluates `number` and `earlier` of `docs/format.md`, section "Request".

use olr_core::machine::{Class, Factor};
use olr_core::request::{OpenedRequest, RequestBody};

/// Maximum number of earlier requests whose hashes a request lists.
const REMEMBERED: usize = 16;

/// One of two requests to compare.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Body of the request.
    pub body: &'a RequestBody,
    /// Hash of the request.
    pub hash: [u8; 32],
}

impl<'a> From<&'a OpenedRequest> for Observed<'a> {
    fn from(opened: &'a OpenedRequest) -> Self {
        Self { body: opened.body(), hash: opened.hash() }
    }
}

/// Relation between two requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same request twice.
    Same,
    /// One installation; one request follows the other in its history.
    Continuing,
    /// One installation with two histories, on the same hardware.
    Snapshot,
    /// One installation with two histories, on different hardware.
    Clone,
    /// One installation with two histories; the requests do not show whether the hardware is the
    /// same.
    Fork,
    /// Two installations.
    Unrelated,
    /// One installation; the requests are too far apart to tell more.
    CannotTell,
}

impl Relation {
    /// Machine-readable name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Continuing => "continuing",
            Self::Snapshot => "snapshot",
            Self::Clone => "clone",
            Self::Fork => "fork",
            Self::Unrelated => "unrelated",
            Self::CannotTell => "cannot-tell",
        }
    }

    /// True if the installation has two histories.
    pub fn is_fork(self) -> bool {
        matches!(self, Self::Snapshot | Self::Clone | Self::Fork)
    }
}

/// Evidence for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Both requests have the same bytes.
    SameBytes,
    /// The install keys differ.
    OtherInstallKey,
    /// The later request lists the earlier one, by number and hash.
    Named,
    /// Both histories have a request with this number, with different hashes.
    TwoRequests {
        /// The number.
        number: u64,
        /// Hash in the history of the earlier request.
        earlier: [u8; 32],
        /// Hash in the history of the later request.
        later: [u8; 32],
    },
    /// The history of the later request has no request with the earlier one's number.
    NoRequest {
        /// The number.
        number: u64,
    },
    /// The list in the later request does not reach back to the earlier request.
    OutOfReach {
        /// First number in that list.
        from: u64,
    },
}

/// What two requests show about the hardware behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hardware {
    /// Both show a hardware factor with the same kind and value.
    Same,
    /// Both show hardware factors of the same kind, but none with the same value.
    Other,
    /// At least one of them shows too little to compare.
    Unknown,
}

impl Hardware {
    /// Machine-readable name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }
}

/// Result of comparing two requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestComparison {
    /// Relation between them.
    pub verdict: Relation,
    /// Evidence for the verdict.
    pub proof: Proof,
    /// What they show about the hardware.
    pub hardware: Hardware,
    /// Factors that can carry weight and that both show.
    pub shared: Vec<Factor>,
    /// Factors that can carry weight and that only the first request shows.
    pub only_first: Vec<Factor>,
    /// Factors that can carry weight and that only the second request shows.
    pub only_second: Vec<Factor>,
}

/// Compares two requests to one vendor. The verdict does not depend on their order.
pub fn compare(first: Observed<'_>, second: Observed<'_>) -> RequestComparison {
    let proof = prove(first, second);
    let hardware = hardware(&first.body.found, &second.body.found);
    let fork = match hardware {
        Hardware::Same => Relation::Snapshot,
        Hardware::Other => Relation::Clone,
        Hardware::Unknown => Relation::Fork,
    };
    let verdict = match proof {
        Proof::SameBytes => Relation::Same,
        Proof::OtherInstallKey => Relation::Unrelated,
        Proof::Named => Relation::Continuing,
        Proof::TwoRequests { .. } | Proof::NoRequest { .. } => fork,
        Proof::OutOfReach { .. } => Relation::CannotTell,
    };
    let (a, b) = (&first.body.found, &second.body.found);
    let pick = |from: &[Factor], other: &[Factor], shared: bool| {
        let counts = |factor: &&Factor| factor.counts() && is_in(factor, other) == shared;
        from.iter().filter(counts).cloned().collect::<Vec<_>>()
    };
    RequestComparison {
        verdict,
        proof,
        hardware,
        shared: pick(a, b, true),
        only_first: pick(a, b, false),
        only_second: pick(b, a, false),
    }
}

fn prove(first: Observed<'_>, second: Observed<'_>) -> Proof {
    if first.body.install_key != second.body.install_key {
        return Proof::OtherInstallKey;
    }
    let (earlier, later) =
        if first.body.number <= second.body.number { (first, second) } else { (second, first) };
    prove_by_later(earlier.body.number, earlier.hash, later)
}

/// Compares a request with an earlier one of the same installation, given by number and hash.
/// `number` must not exceed the later request's number.
pub(super) fn prove_by_later(number: u64, earlier: [u8; 32], later: Observed<'_>) -> Proof {
    if number == later.body.number {
        return match earlier == later.hash {
            true => Proof::SameBytes,
            false => Proof::TwoRequests { number, earlier, later: later.hash },
        };
    }
    let list = &later.body.earlier;
    match list.get(&number) {
        Some(named) if named.hash == earlier => return Proof::Named,
        Some(named) => return Proof::TwoRequests { number, earlier, later: named.hash },
        None => {}
    }
    // The list holds the most recent requests without a gap, so a number within its reach that is
    // missing was never a request in that history. A full list that starts later proves nothing.
    // The earlier request's own list cannot help either: all its numbers are lower still.
    match list.first() {
        Some(oldest) if list.len() >= REMEMBERED && oldest.number > number => {
            Proof::OutOfReach { from: oldest.number }
        }
        _ => Proof::NoRequest { number },
    }
}

/// Compares hardware factors. A machine may show fewer factors to another user, so a factor that
/// only one request shows is not a difference.
fn hardware(a: &[Factor], b: &[Factor]) -> Hardware {
    let is_hardware = |factor: &&Factor| factor.class == Class::Hardware;
    if a.iter().filter(is_hardware).any(|factor| is_in(factor, b)) {
        return Hardware::Same;
    }
    let shows = |kind| b.iter().filter(is_hardware).any(|factor| factor.kind == kind);
    match a.iter().filter(is_hardware).any(|factor| shows(factor.kind)) {
        true => Hardware::Other,
        false => Hardware::Unknown,
    }
}

fn is_in(factor: &Factor, others: &[Factor]) -> bool {
    let same = |other: &Factor| {
        (other.kind, other.class, &other.value) == (factor.kind, factor.class, &factor.value)
    };
    others.iter().any(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use olr_core::machine::FactorKind;
    use olr_core::request::Earlier;
    use olr_core::time::Instant;
    use olr_core::wire::codec::{Hidden, List, Note, Set, Text};
    use olr_core::wire::id::RequestId;

    fn body(key: u8, number: u64, earlier: &[(u64, u8)], found: &[Factor]) -> RequestBody {
        let entry = |(number, hash): &(u64, u8)| Earlier { number: *number, hash: [*hash; 32] };
        RequestBody {
            request: RequestId([0; 16]),
            number,
            earlier: Set::new(earlier.iter().map(entry).collect()).unwrap(),
            install_key: [key; 32],
            commitment_key: Hidden([0; 32]),
            product: Text::default(),
            product_version: Text::default(),
            slot: Text::default(),
            licensee: Text::default(),
            license_key: Hidden(Text::default()),
            enrolled: List::default(),
            found: List::new(found.to_vec()).unwrap(),
            addresses: List::default(),
            facts: List::default(),
            clock: Instant::default(),
            boot: Text::default(),
            renews: None,
            usage: Set::default(),
            wanted: Set::default(),
            note: Note::default(),
            extensions: Set::default(),
        }
    }

    fn factor(kind: FactorKind, class: Class, value: &str) -> Factor {
        let (name, ignored) = (Text::default(), Text::default());
        Factor { kind, class, name, value: Text::new(value).unwrap(), ignored }
    }

    fn card(value: &str) -> Factor {
        factor(FactorKind::NetworkAddress, Class::Hardware, value)
    }

    /// Compares in both orders, which must agree.
    fn judge(first: (&RequestBody, u8), second: (&RequestBody, u8)) -> RequestComparison {
        let seen = |(body, hash)| Observed { body, hash: [hash; 32] };
        let [ab, ba] = [(first, second), (second, first)].map(|(a, b)| compare(seen(a), seen(b)));
        assert_eq!((ab.verdict, ab.hardware), (ba.verdict, ba.hardware));
        ab
    }

    #[test]
    fn numbers_and_hashes_tell_one_history_from_two() {
        let full = |from: u64| (from..from + 16).map(|n| (n, n as u8)).collect::<Vec<_>>();
        let found = [card("a")];
        for (first, second, verdict) in [
            ((5, 50, vec![]), (5, 50, vec![]), Relation::Same),
            ((5, 50, vec![]), (5, 51, vec![]), Relation::Snapshot),
            ((5, 50, vec![(4, 40)]), (6, 60, vec![(4, 40), (5, 50)]), Relation::Continuing),
            ((5, 50, vec![(4, 40)]), (6, 60, vec![(4, 40), (5, 51)]), Relation::Snapshot),
            // The list is not full: it would contain request 5.
            ((5, 50, vec![(4, 40)]), (7, 70, vec![(4, 40)]), Relation::Snapshot),
            ((1, 10, vec![]), (2, 20, vec![]), Relation::Snapshot),
            ((1, 10, vec![]), (3, 20, vec![(2, 2)]), Relation::Snapshot),
            // The list is full, and reaches back to request 4.
            ((4, 4, vec![]), (20, 200, full(4)), Relation::Continuing),
            ((4, 99, vec![]), (20, 200, full(4)), Relation::Snapshot),
            ((3, 3, vec![]), (20, 200, full(4)), Relation::CannotTell),
            ((3, 99, vec![]), (20, 200, full(4)), Relation::CannotTell),
            // The list is full, with a gap where a deactivation took number 5.
            (
                (5, 50, vec![]),
                (21, 9, [vec![(4, 4)], full(6)[..15].to_vec()].concat()),
                Relation::Snapshot,
            ),
        ] {
            let (a, b) = (body(1, first.0, &first.2, &found), body(1, second.0, &second.2, &found));
            let compared = judge((&a, first.1), (&b, second.1));
            assert_eq!(compared.verdict, verdict, "{first:?} {second:?}: {compared:?}");
        }
    }

    #[test]
    fn hardware_tells_a_snapshot_from_a_clone() {
        let image = factor(FactorKind::MachineId, Class::Image, "m");
        let uuid = factor(FactorKind::ProductUuid, Class::Hardware, "u");
        let common = factor(FactorKind::NetworkAddress, Class::Common, "a");
        for (a, b, verdict) in [
            (vec![card("a")], vec![card("a"), card("b")], Relation::Snapshot),
            (vec![card("a")], vec![card("b")], Relation::Clone),
            (vec![card("a"), uuid.clone()], vec![card("b"), uuid.clone()], Relation::Snapshot),
            (vec![image.clone()], vec![image.clone()], Relation::Fork),
            (vec![], vec![], Relation::Fork),
            // One of them shows no hardware, or none of that kind: there is nothing to compare.
            (vec![card("a")], vec![image.clone()], Relation::Fork),
            (vec![card("a")], vec![uuid], Relation::Fork),
            (vec![card("a")], vec![common], Relation::Fork),
        ] {
            let compared = judge((&body(1, 5, &[], &a), 1), (&body(1, 5, &[], &b), 2));
            assert_eq!(compared.verdict, verdict, "{a:?} {b:?}");
            assert!(compared.verdict.is_fork());
        }
    }

    #[test]
    fn another_install_key_is_another_installation() {
        let (a, b) = (body(1, 1, &[], &[card("a")]), body(2, 1, &[], &[card("a"), card("b")]));
        let compared = judge((&a, 1), (&b, 1));
        assert_eq!(compared.verdict, Relation::Unrelated);
        assert_eq!(compared.hardware, Hardware::Same);
        assert_eq!(compared.shared, [card("a")]);
        assert_eq!((compared.only_first.len(), compared.only_second.len()), (0, 1));
    }
}
