//! The content of every peer's document: what the license of olr grants, as JSON of the same length
//! as the body of that license.

use olr_core::license::LicenseBody;
use olr_core::wire::codec::{Limit, encode};
use serde::{Deserialize, Serialize};

/// What the peers decode.
#[derive(Clone, Serialize, Deserialize)]
pub struct Content {
    pub licensee: String,
    pub product: String,
    pub modules: Vec<Module>,
    /// Fills the content up to its length.
    pub note: String,
}

/// A module that is granted.
#[derive(Clone, Serialize, Deserialize)]
pub struct Module {
    pub id: String,
    pub name: String,
    pub quota: u64,
}

impl Content {
    /// The content of a license.
    pub fn of(body: &LicenseBody) -> Self {
        let quota = |quota: &Limit<u64>| quota.only().unwrap_or(u64::MAX);
        let module = |grant: &olr_core::entitlement::Grant| Module {
            id: grant.module.to_string(),
            name: grant.name.to_string(),
            quota: quota(&grant.quota),
        };
        let mut content = Self {
            licensee: body.licensee.to_string(),
            product: body.product.to_string(),
            modules: body.grants.iter().map(module).collect(),
            note: String::new(),
        };
        let missing = encode(body).len().saturating_sub(content.json(0).len());
        content.note = "x".repeat(missing);
        content
    }

    /// The content in JSON. Another number makes another content of the same length.
    pub fn json(&self, number: u32) -> Vec<u8> {
        let mut json = serde_json::to_vec(self).expect("JSON");
        if number > 0 {
            // In the note, which ends before the last quotation mark.
            let digits = format!("{number:08}");
            let end = json.len() - 2;
            json[end - digits.len()..end].copy_from_slice(digits.as_bytes());
        }
        json
    }

    /// The content as Datalog facts, for a biscuit.
    pub fn facts(&self) -> String {
        let Self { licensee, product, modules, note } = self;
        let mut facts = format!("licensee({licensee:?});\nproduct({product:?});\n");
        for Module { id, name, quota } in modules {
            facts += &format!("module({id:?}, {name:?}, {quota});\n");
        }
        facts + &format!("note({note:?});\n")
    }
}
