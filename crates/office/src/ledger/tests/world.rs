//! A ledger under test: each order has an id of its own, and the ledger is checked after each.

use std::collections::BTreeMap;

use crate::catalog::{Catalog, STARTER};
use crate::ledger::db::values;
use crate::ledger::tests::engines::{Database, databases};
use crate::ledger::{
    AddParty, Booking, Buy, Cals, ConfirmDate, Destination, KeyText, Ledger, LongerMaintenance,
    NewKey, Order, PartyKind, PurchasedType,
};
use olr_core::error::Result;
use olr_core::time::{Day, Instant};

/// The starter catalog, with two modules that share a pool, and types for pool keys.
pub fn catalog() -> Catalog {
    let guests = |name: &str| {
        format!("\n[module.{name}]\nname = \"{name}\"\nunit = \"guest VM\"\npool = \"guests\"\n")
    };
    let pools = ["oem", "standard"].map(|edition| {
        format!(
            "\n[type.pool-{edition}]\nmodel = \"pool\"\nedition = \"{edition}\"\noffline = true\n\
             term = \"14 days\"\nmaintenance = \"never\"\n"
        )
    });
    let guests = ["VMware", "Hyper-V"].map(guests);
    Catalog::parse(&format!("{STARTER}{}{}", guests.concat(), pools.concat())).unwrap()
}

/// A purchased type as another version of the catalog defines it: its maintenance and its edition.
pub fn other_type(id: &str, maintenance: &str, edition: &str) -> PurchasedType {
    let mut catalog = catalog();
    let found = catalog.types.get_mut(id).unwrap();
    found.maintenance = Some(maintenance.parse().unwrap());
    found.edition = edition.parse().unwrap();
    PurchasedType::of(&catalog, id).unwrap()
}

/// A purchased type of the catalog.
pub fn purchased(id: &str) -> PurchasedType {
    PurchasedType::of(&catalog(), id).unwrap()
}

pub fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// `"OBM=20 ACB=5"` as CALs.
pub fn cals(text: &str) -> Vec<Cals> {
    let one = |part: &str| {
        let (module, count) = part.split_once('=').unwrap();
        let unit = if ["VMware", "Hyper-V"].contains(&module) { "guest VM" } else { "device" };
        Cals::new(module, unit, count.parse().unwrap())
    };
    text.split_whitespace().map(one).collect()
}

pub struct World {
    pub database: Database,
    pub ledger: Ledger,
    pub now: Instant,
    pub orders: u32,
}

impl World {
    pub fn new(database: Database, now: &str) -> Self {
        let now = now.parse().unwrap();
        let ledger = database.ledger();
        Self { database, ledger, now, orders: 0 }
    }

    /// Runs `test` on an empty ledger of each engine.
    pub fn each(now: &str, test: impl Fn(&mut World)) {
        databases().into_iter().for_each(|database| test(&mut World::new(database, now)));
    }

    /// Sets the clock, and confirms its date.
    pub fn today(&mut self, day: &str) {
        self.at(day.parse().unwrap());
    }

    pub fn at(&mut self, now: Instant) {
        self.now = now;
        self.orders += 1;
        let order = Order::new(format!("clock-{}", self.orders), "tester");
        self.ledger.order(&order, &ConfirmDate { day: now.day() }, now).unwrap();
    }

    /// Carries out an order, twice if it succeeds, and checks the ledger.
    pub fn run<B: Booking>(&mut self, booking: &B) -> Result<B::Booked>
    where
        B::Booked: PartialEq + std::fmt::Debug,
    {
        self.orders += 1;
        let order = Order::new(format!("order-{}", self.orders), "tester");
        let before = self.holdings();
        let done = self.ledger.order(&order, booking, self.now);
        let after = self.holdings();
        match &done {
            Ok(first) => {
                assert_eq!(&self.ledger.order(&order, booking, self.now).unwrap(), first);
                assert_eq!(self.holdings(), after);
            }
            Err(_) => assert_eq!(before, after),
        }
        assert_eq!(self.ledger.check().unwrap(), []);
        done
    }

    /// All balances that are not 0, by kind, owner and module.
    pub fn holdings(&mut self) -> BTreeMap<(String, i64, String, String), i64> {
        let query = "SELECT kind, owner, edition, module, balance FROM holding WHERE balance <> 0";
        let rows = self.ledger.db.rows(query, &[]).unwrap();
        let text = |row: &crate::ledger::db::SqlRow, at| row.text(at).unwrap().to_string();
        let cell = |row: &crate::ledger::db::SqlRow| {
            let key = (text(row, 0), row.integer(1).unwrap(), text(row, 2), text(row, 3));
            (key, row.integer(4).unwrap())
        };
        rows.iter().map(cell).collect()
    }

    /// CALs of all holdings of one kind, as text: "ACB=5 OBM=20".
    pub fn total(&mut self, kind: &str) -> String {
        let mut sums = BTreeMap::<String, i64>::new();
        for ((its, _, _, module), balance) in self.holdings() {
            if its == kind {
                *sums.entry(module).or_default() += balance;
            }
        }
        let texts = sums.iter().map(|(module, sum)| format!("{module}={sum}"));
        texts.collect::<Vec<_>>().join(" ")
    }

    pub fn exec(&mut self, sql: &str) {
        self.ledger.db.batch(sql).unwrap();
    }

    /// Puts CALs of a key into escrow.
    pub fn hold(&mut self, key: &str, module: &str) {
        let place = "INSERT INTO installation (install_key, product, slot) \
                     VALUES ($1, 'example', 'backup') ON CONFLICT DO NOTHING";
        self.ledger.db.exec(place, values![&[7; 32][..]]).unwrap();
        self.exec(&format!(
            "INSERT INTO escrow (license_key, installation) \
             SELECT license_key.id, installation.id FROM license_key, installation \
             WHERE key = '{key}'; \
             INSERT INTO holding (kind, owner, module, edition, unit, balance) \
             SELECT 'escrow', escrow.id, '{module}', 'oem', 'device', 1 FROM escrow \
             JOIN license_key ON license_key.id = license_key WHERE key = '{key}'"
        ));
    }

    /// Makes a key one that was activated and deactivated, with maintenance until a day.
    pub fn ran_until(&mut self, key: &str, maintenance: &str) {
        let day = day(maintenance).number;
        self.exec(&format!(
            "UPDATE license_key SET state = 'deactivated', maintenance = 'until', \
             maintenance_until = {day} WHERE key = '{key}'"
        ));
    }

    pub fn add_party(&mut self, name: &str) {
        let mut party = AddParty::new(PartyKind::Partner, name);
        party.prefix = Some(format!("{name}-"));
        self.run(&party).unwrap();
    }

    /// Buys CALs of a type to stock, today.
    pub fn buy_stock(&mut self, party: &str, license_type: &str, cals: &str) -> i64 {
        let buy = self.buying(party, license_type, cals, Destination::Stock);
        self.run(&buy).unwrap().lot.unwrap()
    }

    /// Buys CALs of a type to a new key, today.
    pub fn buy_key(&mut self, party: &str, license_type: &str, cals: &str, key: &str) {
        let buy = self.buying(party, license_type, cals, new_key(key));
        self.run(&buy).unwrap();
    }

    pub fn buying(&self, party: &str, id: &str, text: &str, to: Destination) -> Buy {
        Buy {
            party: party.to_string(),
            reference: format!("sale-{}", self.orders),
            day: self.now.day(),
            license_type: PurchasedType::of(&catalog(), id).unwrap(),
            cals: cals(text),
            to,
            longer: LongerMaintenance::Refuse,
        }
    }
}

pub fn new_key(key: &str) -> Destination {
    Destination::NewKey(NewKey {
        text: KeyText::Chosen(key.to_string()),
        licensee: "Acme Ltd".to_string(),
        product: "example".to_string(),
        slot: "backup".to_string(),
    })
}
