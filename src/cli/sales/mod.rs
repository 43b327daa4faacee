//! `olr buy`, `olr stock`, `olr withdraw`, `olr refund`, `olr move` and `olr exchange`: what is sold,
//! and where it goes.

use rand::Rng;

use olr_core::error::{Error, Problem, Result};
use olr_office::catalog::Catalog;
use olr_office::ledger::{Destination, KeyText, LongerMaintenance, NewKey};

use crate::cli::args::typed::typed;
use crate::cli::booking::slot_of;
use crate::cli::context::Context;

pub mod buy;
pub mod refund;
pub mod stock;
pub mod transfer;
pub mod withdraw;

// The license key that CALs go to.
#[derive(clap::Args)]
pub struct KeyArgs {
    /// To this license key.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// To a new license key, a random one if none is given.
    #[arg(long, value_name = "KEY", num_args = 0..=1, conflicts_with = "key")]
    new_key: Option<Option<String>>,
    /// The licensee of the new key, as in its requests.
    #[arg(long, value_name = "NAME", requires = "new_key")]
    licensee: Option<String>,
    /// The product of the new key [default: the only one of the catalog].
    #[arg(long, value_name = "P", requires = "new_key")]
    product: Option<String>,
    /// The slot of the new key [default: the first of the product].
    #[arg(long, value_name = "S", requires = "new_key")]
    slot: Option<String>,
}

// What to do if the key has longer maintenance than the CALs.
#[derive(clap::Args)]
pub struct LongerArgs {
    /// If the maintenance of the key ends later than that of the CALs: accept the earlier day.
    #[arg(long, conflicts_with = "buy_maintenance")]
    shorten: bool,
    /// If the maintenance of the key ends later than that of the CALs: the reference of the sale of
    /// the difference.
    #[arg(long, value_name = "REF")]
    buy_maintenance: Option<String>,
}

impl LongerArgs {
    fn longer(&self) -> LongerMaintenance {
        match (&self.buy_maintenance, self.shorten) {
            (Some(reference), _) => LongerMaintenance::Bought(reference.clone()),
            (None, true) => LongerMaintenance::Shorten,
            (None, false) => LongerMaintenance::Refuse,
        }
    }
}

impl KeyArgs {
    /// Returns the destination; `None` if no key is named.
    fn destination(&self, catalog: &Catalog, context: &mut Context) -> Result<Option<Destination>> {
        match (&self.key, &self.new_key) {
            (Some(key), _) => Ok(Some(Destination::Key(key.clone()))),
            (None, Some(text)) => {
                let new = self.made(text.as_deref(), catalog, context)?;
                Ok(Some(Destination::NewKey(new)))
            }
            (None, None) => Ok(None),
        }
    }

    fn made(&self, text: Option<&str>, catalog: &Catalog, context: &mut Context) -> Result<NewKey> {
        let text = match text {
            Some(text) => KeyText::Chosen(typed("the license key", text)?.to_string()),
            None => {
                let mut bytes = [0; 20];
                context.rng.fill_bytes(&mut bytes);
                KeyText::Random(bytes)
            }
        };
        let licensee = self.licensee.as_deref().ok_or_else(|| {
            let fact = "a new key needs a licensee";
            Error::unable(Problem::Usage, fact, "name the licensee with --licensee NAME")
        })?;
        let (product, slot) = slot_of(self.product.as_deref(), self.slot.as_deref(), catalog)?;
        let licensee = typed("the licensee's name", licensee)?.to_string();
        Ok(NewKey { text, licensee, product, slot })
    }

    /// True if the key that was tried is not the one that would be booked.
    fn is_tried(&self, dry_run: bool) -> bool {
        dry_run && self.new_key == Some(None)
    }

    /// How the result shows a key. A new one has to reach the customer, so it is whole.
    fn said(&self, key: &str, masked: String, dry_run: bool) -> String {
        match &self.new_key {
            Some(None) if dry_run => "a random one, drawn when this is booked".to_string(),
            Some(_) => key.to_string(),
            None => masked,
        }
    }
}
