//! Random answers, moves, revocations and passing days, compared with a model of plain lists: what
//! is on licenses and in escrow is exactly what installations may still use.

use olr_core::entitlement::Cause;
use olr_core::license::{License, LicenseBody};
use olr_core::time::{DAY, Day, Instant};
use olr_core::wire::codec::{Limit, Set};
use olr_core::wire::id::{LicenseId, RequestId};
use olr_office::folder::Folder;
use olr_office::ledger::{ConfirmDate, IssueLicense, Ledger, Order, RecordRevocation};
use olr_testkit::World;
use rand::rngs::ChaCha20Rng;
use rand::{RngExt, SeedableRng};

const KEYS: usize = 4;
const INSTALLATIONS: usize = 4;
const MODULES: usize = 2;

type Quotas = [u64; MODULES];

/// A license that was issued, as the model sees it.
#[derive(Debug, Clone)]
struct Claim {
    key: usize,
    installation: usize,
    quotas: Quotas,
    /// When it has ended in any case.
    ends: Option<u64>,
    open: bool,
    license: LicenseId,
}

/// A ledger, and the model beside it.
struct Both {
    ledger: Ledger,
    rng: ChaCha20Rng,
    world: World,
    now: u64,
    claims: Vec<Claim>,
    /// Which installation runs on each key.
    holders: [Option<usize>; KEYS],
    turns: [u64; KEYS],
    orders: u64,
}

impl Both {
    fn issue(&mut self) {
        let key = self.rng.random_range(0..KEYS);
        let installation = self.rng.random_range(0..INSTALLATIONS);
        let quotas: Quotas = std::array::from_fn(|_| self.rng.random_range(0..6));
        let term = [None, Some(5), Some(40)][self.rng.random_range(0..3)];
        let receipt = self.rng.random_range(0..2) == 0;
        // The server shows which of its licenses is installed, or asks as if for the first time.
        let own: Vec<_> = (0..self.claims.len())
            .filter(|i| self.claims[*i].installation == installation)
            .collect();
        let renews = match own.len() {
            0 => None,
            many => Some(own[self.rng.random_range(0..many)]).filter(|_| many % 3 != 0),
        };
        let body = self.draft(installation, quotas, term);
        let moves = self.holders[key].filter(|holder| *holder != installation);
        let name = format!("K{key}");
        let bytes = self.world.license(|own| *own = body.clone());
        let license = License::verify(&bytes, &self.world.vendor.trust).unwrap();
        let booking = IssueLicense {
            request: b"a request",
            host: None,
            license_key: &name,
            body: &body,
            terms: [self.orders as u8; 32],
            seen: self.turns[key],
            moved_from: moves.map(|holder| self.newest_at(key, holder)),
            receipt: moves.filter(|_| receipt).map(|_| &b"a receipt"[..]),
            transfer: moves.filter(|_| !receipt).map(|_| "lost"),
            renews: renews.map(|index| self.claims[index].license),
            by_grant: true,
            sign: &|| Ok(license.clone()),
        };
        let order = Order::new(booking.order_id(), "test");
        self.ledger.order(&order, &booking, Instant::new(self.now)).unwrap();
        self.turns[key] += 1;
        if let Some(holder) = moves {
            self.close(|claim| claim.installation == holder);
        }
        let now = self.now;
        self.close(|claim| {
            claim.installation == installation && claim.ends.is_some_and(|e| e <= now)
        });
        if let Some(renewed) = renews {
            for claim in &mut self.claims[..renewed] {
                claim.open &= claim.installation != installation || claim.ends.is_none();
            }
        }
        for other in &mut self.holders {
            if *other == Some(installation) {
                *other = None;
            }
        }
        self.holders[key] = Some(installation);
        let grace = body.grace.get(&Cause::Expired).map_or(0, |rule| rule.seconds);
        let ends = body.expires.map(|day| day.ends().seconds + grace + u64::from(body.tolerance));
        let license = body.license;
        self.claims.push(Claim { key, installation, quotas, ends, open: true, license });
    }

    fn draft(&mut self, installation: usize, quotas: Quotas, term: Option<u32>) -> LicenseBody {
        let mut body = self.world.body();
        body.license = LicenseId(self.rng.random());
        (body.request, body.request_hash) = (RequestId(self.rng.random()), self.rng.random());
        body.number = self.orders;
        body.install_key = [installation as u8 + 1; 32];
        body.issued = Instant::new(self.now);
        body.starts = body.issued.day();
        let last = |days| Day { number: body.starts.number + days };
        body.expires = term.map(last);
        let mut grants: Vec<_> = body.grants.iter().take(MODULES).cloned().collect();
        for (grant, quota) in grants.iter_mut().zip(quotas) {
            (grant.quota, grant.requires) = (Limit::Only(quota), Set::default());
        }
        body.grants = Set::new(grants).unwrap();
        body
    }

    /// License through which an installation holds a key.
    fn newest_at(&self, key: usize, installation: usize) -> LicenseId {
        let is_it = |claim: &&Claim| claim.key == key && claim.installation == installation;
        self.claims.iter().rev().find(is_it).unwrap().license
    }

    fn close(&mut self, closes: impl Fn(&Claim) -> bool) {
        self.claims.iter_mut().filter(|claim| closes(claim)).for_each(|claim| claim.open = false);
    }

    /// Revokes a license: the newest of its key, or an older one, which changes nothing.
    fn revoke(&mut self) {
        let Some(index) = self.claims.len().checked_sub(1) else { return };
        let index = self.rng.random_range(0..=index);
        let Claim { key, license, .. } = self.claims[index];
        let now = Instant::new(self.now);
        let booking =
            RecordRevocation { license, cause: Cause::Revoked, reason: "stolen", revoked: now };
        let order = Order::new(format!("revoke-{}", self.orders), "test");
        self.ledger.order(&order, &booking, now).unwrap();
        if self.claims[index + 1..].iter().all(|claim| claim.key != key) {
            self.holders[key] = None;
        }
    }

    fn days(&mut self) {
        self.now += self.rng.random_range(0..12) * DAY;
        let at = Instant::new(self.now);
        // Orders may be far apart: somebody confirms the date.
        let order = Order::new(format!("date-{}", self.orders), "test");
        self.ledger.order(&order, &ConfirmDate { day: at.day() }, at).unwrap();
        self.ledger.run_day("test", at).unwrap();
        let now = self.now;
        let ended: Vec<_> = (0..self.claims.len())
            .filter(|i| self.claims[*i].open && self.claims[*i].ends.is_some_and(|e| e <= now))
            .collect();
        for index in ended {
            let key = self.claims[index].key;
            self.claims[index].open = false;
            if self.claims[index + 1..].iter().all(|claim| claim.key != key) {
                self.holders[key] = None;
            }
        }
    }

    /// What the model has on licenses and in escrow.
    fn wanted(&self) -> [(u64, u64); MODULES] {
        std::array::from_fn(|module| {
            let newest = |key: usize| self.claims.iter().rev().find(|claim| claim.key == key);
            let (mut out, mut escrow) = (0, 0);
            for installation in 0..INSTALLATIONS {
                let held = (0..KEYS).filter(|key| self.holders[*key] == Some(installation));
                let here: u64 = held.map(|key| newest(key).unwrap().quotas[module]).sum();
                let open = self.claims.iter().filter(|c| c.open && c.installation == installation);
                let claimed = open.map(|claim| claim.quotas[module]).max().unwrap_or(0);
                (out, escrow) = (out + here, escrow + claimed.saturating_sub(here));
            }
            (out, escrow)
        })
    }

    /// What the ledger has.
    fn has(&mut self, modules: &[String]) -> [(u64, u64); MODULES] {
        let mut has = [(0, 0); MODULES];
        for key in 0..KEYS {
            let Some(report) = self.ledger.license_key(&format!("K{key}")).unwrap() else {
                continue;
            };
            for cals in report.cals {
                let module = modules.iter().position(|module| *module == cals.module).unwrap();
                has[module].0 += cals.out;
                has[module].1 += cals.escrow;
            }
        }
        has
    }
}

#[test]
fn licenses_and_escrow_are_what_installations_may_use() {
    let (seeds, steps) =
        if std::env::var_os("OLR_LONG").is_some() { (1_000, 200) } else { (6, 100) };
    let mut most = 0;
    for seed in 0..seeds {
        let folder = tempfile::tempdir().unwrap();
        let vendor = Folder::at(folder.path());
        vendor.create_ledger().unwrap();
        let world = World::new();
        let now = world.body().issued.seconds;
        let modules: Vec<_> = world
            .body()
            .grants
            .iter()
            .take(MODULES)
            .map(|grant| grant.module.to_string())
            .collect();
        let mut both = Both {
            ledger: vendor.ledger().unwrap(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            world,
            now,
            claims: Vec::new(),
            holders: [None; KEYS],
            turns: [0; KEYS],
            orders: 0,
        };
        for step in 0..steps {
            both.orders += 1;
            match both.rng.random_range(0..10) {
                0..6 => both.issue(),
                6 => both.revoke(),
                _ => both.days(),
            }
            let wanted = both.wanted();
            assert_eq!(both.has(&modules), wanted, "seed {seed}, step {step}");
            assert_eq!(both.ledger.check().unwrap(), [], "seed {seed}, step {step}");
            most = most.max(wanted.iter().map(|(_, escrow)| *escrow).max().unwrap());
        }
    }
    assert!(most > 5, "nothing was in escrow");
}
