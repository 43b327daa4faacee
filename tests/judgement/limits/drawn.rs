//! Random catalogs, grants, delegations and questions, from a seed.

use olr_core::license::LicenseBody;
use olr_core::time::{Day, Instant};
use olr_core::trust::{DelegationBody, ModuleMaximum};
use olr_core::wire::codec::{Limit, Set};
use olr_core::wire::id::LicenseId;
use olr_office::catalog::Catalog;
use olr_office::issue::{GrantFile, Stamp, draft};
use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use rand::seq::IndexedRandom;

use crate::world::operations::ALL;
use crate::world::{NOW, World, text};

pub const DAY: u64 = 86_400;
/// Modules that may be granted or included.
pub const NAMES: [&str; 5] = ["ACB", "CBS", "File", "OBM", "System state"];
const MODULES: [&str; 3] = ["ACB", "CBS", "OBM"];
const CAUSES: [&str; 6] = ["expired", "over-quota", "conflict", "revoked", "pooled", "upgraded"];
const COUNTS: [u64; 6] = [0, 1, 5, 10, 1000, u64::MAX];

/// Random values from a seeded generator.
pub struct Lot(pub ChaCha20Rng);

impl Lot {
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(&mut self.0).unwrap()
    }

    pub fn chance(&mut self, of: f64) -> bool {
        self.0.random_bool(of)
    }

    fn some<T: Copy>(&mut self, of: &[T], each: f64) -> Vec<T> {
        of.iter().copied().filter(|_| self.chance(each)).collect()
    }

    pub fn count(&mut self) -> u64 {
        self.one(&COUNTS)
    }

    fn words(&mut self, of: &[&str], each: f64) -> String {
        format!("{:?}", self.some(of, each))
    }

    fn operations(&mut self, each: f64) -> String {
        let all: Vec<_> = ALL.iter().map(|operation| operation.word()).collect();
        self.words(&all, each)
    }

    fn rules(&mut self, of: &str, always: &str) -> String {
        let mut rules = String::new();
        for cause in self.some(&CAUSES, 0.4) {
            rules += &format!("[{of}{cause}]\n");
            let after = self.one(&["0 hours", "12 hours", "14 days", "36500 days"]);
            match self.one(&["stop", "stop", "block", "block", "warn"]) {
                "block" => {
                    let each = self.one(&[0.5, 0.95]);
                    let all = ALL.iter().map(|operation| operation.word());
                    let may: Vec<_> =
                        all.filter(|word| *word != "run" && !always.contains(word)).collect();
                    let blocks = self.words(&may, each);
                    rules += &format!("after = \"{after}\"\nthen = \"block\"\nblocks = {blocks}\n");
                }
                "warn" => rules += "then = \"warn\"\n",
                stop => rules += &format!("after = \"{after}\"\nthen = \"{stop}\"\n"),
            }
        }
        rules
    }

    /// A catalog, and a grant that often fits it.
    fn texts(&mut self) -> (String, String) {
        let always = if self.chance(0.3) { self.operations(0.2) } else { "[]".to_string() };
        let own = ALL.iter().filter(|operation| !operation.is_built_in());
        let own: Vec<_> = own.map(|operation| operation.word()).collect();
        let model = self.one(&["purchased", "meter", "evaluation", "pool"]);
        let edition = self.one(&["oem", "standard"]);
        let mut catalog = format!(
            "operations = {own:?}\n[[product]]\nid = \"example\"\nslots = [\"backup\", \"redirector\"]\n\
             [type.sold]\nmodel = \"{model}\"\nedition = \"{edition}\"\noffline = true\n\
             always = {always}\n"
        );
        catalog += &self.rules("type.sold.on.", &always);
        for module in MODULES {
            let pool = self.one(&["", "", "pool = \"p\"\n"]);
            let included: Vec<_> = NAMES.into_iter().filter(|name| *name != module).collect();
            let includes = self.words(&included, 0.15);
            catalog += &format!(
                "[module.{module}]\nname = \"{module}\"\nunit = \"device\"\n{pool}\
                 includes = {includes}\n"
            );
        }
        let (hardware, share) = (self.chance(0.7), self.one(&[1, 50, 100]));
        catalog += &format!(
            "[policy.server]\nshare = {share}\nminimum = 1\nhardware = {hardware}\n\
             [policy.server.weights]\nnetwork-address = 3\nmachine-id = 3\nhostname = 1\n"
        );
        let starts = self.one(&["today", "today", "2027-11-24", "2027-12-23", "2046-01-01"]);
        let ends = ["never", "30 days", "1 year", "14 days", "10 years"];
        let (expires, maintenance) = (self.one(&ends), self.one(&ends));
        let mut grant = format!(
            "licensee = \"ACME Ltd\"\nkey = \"AbCd-1234\"\nproduct = \"example\"\ntype = \"sold\"\n\
             slot = \"backup\"\nstarts = \"{starts}\"\nexpires = \"{expires}\"\n\
             maintenance = \"{maintenance}\"\n[modules]\n"
        );
        for module in self.some(&MODULES, 0.6) {
            let quota = match self.one(&[0, 1, 5, 10, 1000, u64::MAX]) {
                u64::MAX => "\"unlimited\"".to_string(),
                count => count.to_string(),
            };
            grant += &format!("{module} = {quota}\n");
        }
        if self.chance(0.3) {
            grant += &self.rules("on.", &always);
        }
        (catalog, grant)
    }

    /// The license that `draft` makes from a random catalog and grant, if they fit together.
    pub fn license(&mut self, world: &World) -> Option<LicenseBody> {
        let (catalog, grant) = self.texts();
        let catalog = Catalog::parse(&catalog).ok()?;
        let grant = GrantFile::parse(&grant).ok()?;
        let issued = NOW.parse::<Instant>().unwrap();
        let stamp = Stamp { license: LicenseId([0x11; 16]), answer: 1, issued };
        draft(&world.opened(), &grant, &catalog, &world.vendor.trust, stamp).ok()
    }

    /// A random delegation. Each limit is about as wide as this license needs, slightly too narrow,
    /// or unrelated.
    pub fn delegation(&mut self, world: &World, body: &LicenseBody) -> DelegationBody {
        let mut limits = world.vendor.delegation_body();
        let day_of_issue = (body.issued.seconds / DAY) as u32;
        let near = |lot: &mut Self, exactly: u64| match lot.0.random_range(0..10) {
            0 => exactly.saturating_sub(1),
            1 => exactly.saturating_add(1),
            2..=4 => lot.one(&[0, 7, 30, 365, 3650, 36_500]),
            _ => exactly,
        };
        if self.chance(0.5) {
            let all = body.model;
            limits.models = Limit::Only(Set::new(vec![all]).unwrap());
        }
        if self.chance(0.3) {
            limits.editions = Limit::Only(Set::new(vec![body.edition]).unwrap());
        }
        if self.chance(0.7) {
            let sum = body.grants.iter().fold(0u64, |sum, grant| match grant.quota {
                Limit::Only(quota) => sum.saturating_add(quota),
                Limit::Any => sum,
            });
            let mut maxima = Vec::new();
            for name in NAMES {
                if self.chance(0.85) {
                    let maximum = match self.0.random_range(0..6) {
                        0 | 1 => Limit::Any,
                        2 => Limit::Only(self.count()),
                        3 => Limit::Only(near(self, sum)),
                        _ => body.grants.get(name).map_or(Limit::Any, |grant| grant.quota),
                    };
                    maxima.push(ModuleMaximum { module: text(name), maximum });
                }
            }
            limits.modules = Limit::Only(Set::new(maxima).unwrap());
        }
        let days = |lot: &mut Self, end: Option<Day>, from: u32| {
            let exactly = end.map_or(400, |end| end.number.saturating_sub(from));
            Limit::Only(near(lot, exactly.into()) as u32)
        };
        if self.chance(0.5) {
            limits.longest_term = days(self, body.expires, body.starts.number);
        }
        if self.chance(0.5) {
            limits.ahead = days(self, Some(body.starts), day_of_issue);
        }
        if self.chance(0.5) {
            // The end of maintenance is the limit, but an implementation might mistake the end of
            // the license for it.
            let end = self.one(&[body.maintenance, body.maintenance, body.expires]);
            limits.longest_maintenance = days(self, end, body.starts.number.max(day_of_issue));
        }
        if self.chance(0.6) {
            let longest = body.grace.iter().map(|rule| rule.seconds).max().unwrap_or(0);
            limits.longest_grace = Limit::Only(near(self, longest));
        }
        if self.chance(0.6) {
            let each = self.one(&[0.0, 0.0, 0.3, 0.8]);
            let all = self.some(&ALL, each);
            limits.afterwards = Limit::Only(Set::new(all).unwrap());
        }
        limits.weak_machine = self.chance(0.4);
        limits
    }
}
