//! Changes of the ledger: what the verbs that make one share.

use rand::Rng;
use serde_json::{Value, json};

use crate::file;
use olr_core::display::{listed, shown};
use olr_core::error::{Error, Problem, Result};
use olr_core::report::masked;
use olr_office::catalog::Catalog;
use olr_office::folder::Folder;
use olr_office::ledger::{BookedMovement, Booking, CalPlace, Cals, Order};

use super::context::{self, Context};
use super::output::{Output, put};
use super::show;
use crate::cli::args::typed::count;
use crate::cli::args::vendor::VendorArg;

// The vendor's folder, and which order this is.
#[derive(clap::Args)]
pub struct OrderArg {
    #[command(flatten)]
    vendor: VendorArg,
    /// The id of this order. The same order with the same id changes nothing and prints the first
    /// result; another order with it is refused [default: a random id].
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// Show what would be booked, but change nothing.
    #[arg(long)]
    pub dry_run: bool,
}

// How license keys are shown.
#[derive(clap::Args)]
pub struct ShowKeyArg {
    /// Show license keys in full; otherwise only their last characters.
    #[arg(long)]
    pub show_key: bool,
}

impl ShowKeyArg {
    /// Returns a key, whole or masked.
    pub fn said(&self, key: &str) -> String {
        if self.show_key { key.to_string() } else { masked(key) }
    }
}

/// Name of a key that does not exist yet.
const NEW: &str = "new";

/// A change that was made or tried.
pub struct Booked<T> {
    pub result: T,
    pub dry_run: bool,
    order: String,
    movements: Vec<BookedMovement>,
    folder: Folder,
}

impl OrderArg {
    pub fn folder(&self) -> Result<Folder> {
        self.vendor.folder()
    }

    /// Makes the change, or only tries it.
    pub fn book<B: Booking>(
        &self,
        booking: &B,
        context: &mut Context,
    ) -> Result<Booked<B::Booked>> {
        let folder = self.folder()?;
        let id = self.id(context);
        let order = Order::new(&id, context::user());
        let mut ledger = folder.ledger()?;
        let (result, movements) = match self.dry_run {
            true => ledger.rehearse(&order, booking, context.now)?,
            false => {
                let result = ledger.order(&order, booking, context.now)?;
                let movements = ledger.movements(&id)?;
                (result, movements)
            }
        };
        Ok(Booked { result, dry_run: self.dry_run, order: id, movements, folder })
    }

    fn id(&self, context: &mut Context) -> String {
        self.order.clone().unwrap_or_else(|| {
            let mut id = [0u8; 16];
            context.rng.fill_bytes(&mut id);
            data_encoding::HEXLOWER.encode(&id)
        })
    }

    /// Tries a change, for the question whether to make it.
    pub fn tried<B: Booking>(&self, booking: &B, context: &mut Context) -> Result<B::Booked> {
        let order = Order::new(self.id(context), context::user());
        Ok(self.folder()?.ledger()?.rehearse(&order, booking, context.now)?.0)
    }
}

impl<T> Booked<T> {
    /// Forgets the text of a random key that was only tried: when it is booked, another is drawn.
    pub fn forget(&mut self, key: &str) {
        let places = self.movements.iter_mut().flat_map(|one| [&mut one.from, &mut one.to]);
        places.filter(|place| place.kind == "key" && place.name == key).for_each(|place| {
            place.name = NEW.to_string();
        });
    }

    /// Describes the change: a sentence, rows of its result, and what it moved.
    pub fn output(&self, done: &str, rows: &[(&str, String)], keys: &ShowKeyArg) -> Output {
        let first = match self.dry_run {
            true => "Dry run: nothing was changed.".to_string(),
            false => done.to_string(),
        };
        let rows = Some(show::pairs(rows)).filter(|text| !text.is_empty());
        let table = Some(&self.movements).filter(|movements| !movements.is_empty());
        let table = table.map(|movements| moved(movements, keys));
        let text: Vec<_> = [Some(first), rows, table].into_iter().flatten().collect();
        let movements: Vec<_> = self.movements.iter().map(|one| movement_json(one, keys)).collect();
        let json = json!({"order": self.order, "dry_run": self.dry_run, "movements": movements});
        let mut output = Output::new(text.join("\n\n"), json);
        output.notes.push(vendor_note(&self.folder));
        output
    }
}

/// Adds a field to the JSON of an output.
pub fn with(mut output: Output, name: &str, value: impl Into<Value>) -> Output {
    put(&mut output.json, name, value);
    output
}

/// The note that names the vendor's folder.
pub fn vendor_note(folder: &Folder) -> String {
    format!("vendor: {}", file::name(folder.path()))
}

fn moved(movements: &[BookedMovement], keys: &ShowKeyArg) -> String {
    let row = |one: &BookedMovement| {
        let (from, to) = (place(&one.from, keys), place(&one.to, keys));
        vec![one.module.clone(), one.count.to_string(), from, to]
    };
    let rows: Vec<_> = movements.iter().map(row).collect();
    show::table(&["module", "cals", "from", "to"], &rows, &[1])
}

/// Describes a place for CALs in a table.
fn place(place: &CalPlace, keys: &ShowKeyArg) -> String {
    let name = &place.name;
    match &*place.kind {
        "sold" => "sale".to_string(),
        "stock" => format!("stock, lot {name}"),
        "key" if name == NEW => "new key".to_string(),
        "key" => format!("key {}", keys.said(name)),
        "out" => format!("license of key {}", keys.said(name)),
        "escrow" => format!("escrow of key {}", keys.said(name)),
        "sum" => format!("pooled, of {name}"),
        "pool" => format!("pool {name}"),
        other => other.to_string(),
    }
}

fn movement_json(one: &BookedMovement, keys: &ShowKeyArg) -> Value {
    let place = |place: &CalPlace| {
        let name = match &*place.kind {
            "key" | "out" | "escrow" if place.name != NEW => keys.said(&place.name),
            _ => place.name.clone(),
        };
        json!({"kind": place.kind, "name": name})
    };
    json!({
        "module": one.module, "unit": one.unit, "edition": one.edition, "count": one.count,
        "from": place(&one.from), "to": place(&one.to),
    })
}

/// Parses numbers of CALs, such as `OBM=50`. The catalog has their units.
pub fn cals(texts: &[String], catalog: &Catalog) -> Result<Vec<Cals>> {
    let one = |text: &String| {
        let count = count(text, "--module OBM=50")?;
        Ok(Cals::new(&*count.module, unit(&count.module, catalog)?, count.count))
    };
    texts.iter().map(one).collect()
}

fn unit(module: &str, catalog: &Catalog) -> Result<String> {
    match catalog.modules.get(module) {
        Some(module) => Ok(module.unit.to_string()),
        None => {
            let fact = format!("the catalog has no module {}", shown(module));
            let known = listed(catalog.modules.keys().map(String::as_str));
            let hint = format!("write one of the modules of the catalog: {known}");
            Err(Error::unable(Problem::Usage, fact, hint))
        }
    }
}

/// CALs in one line: `50 OBM, 10 ACB`.
pub fn in_words<'a>(cals: impl IntoIterator<Item = &'a Cals>) -> String {
    let words: Vec<_> =
        cals.into_iter().map(|one| format!("{} {}", one.count, one.module)).collect();
    words.join(", ")
}

/// CALs as JSON.
pub fn cals_json<'a>(cals: impl IntoIterator<Item = &'a Cals>) -> Vec<Value> {
    let one = |one: &Cals| json!({"module": one.module, "unit": one.unit, "count": one.count});
    cals.into_iter().map(one).collect()
}

/// Returns product and slot, by default those that the catalog has alone or first.
pub fn slot_of(
    product: Option<&str>,
    slot: Option<&str>,
    catalog: &Catalog,
) -> Result<(String, String)> {
    let only = match catalog.products.as_slice() {
        [only] => Some(only.id.to_string()),
        _ => None,
    };
    let product = product.map(str::to_string).or(only).ok_or_else(|| {
        let fact = "the catalog has several products";
        Error::unable(Problem::Usage, fact, "name one with --product")
    })?;
    let found = catalog.products.iter().find(|known| *known.id == *product);
    let first = found.and_then(|product| product.slots.first()).map(|slot| (**slot).to_string());
    let slot = slot.map(str::to_string).or(first).unwrap_or_default();
    Ok((product, slot))
}
