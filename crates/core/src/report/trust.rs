//! Report of a trust.

use crate::entitlement::Model;
use crate::key::{Role, key_id};
use crate::report::delegation::maximum_text;
use crate::report::extension::text as extension_text;
use crate::report::{ExtensionReport, Row, extension, hex, joined, yes_or_no};
use crate::trust::{ModuleMaximum, Product, SignerRule, Trust, TrustBody};
use crate::wire::codec::{Limit, Text};
use crate::wire::id::KeyId;

/// Report of a trust, with the ids of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrustReport {
    /// Name of the vendor.
    pub vendor: Text,
    /// Vendor code. `None` if the trust was not verified.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub vendor_code: Option<String>,
    /// Whole vendor code. `None` if the trust was not verified.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub whole_vendor_code: Option<String>,
    /// Number among the vendor's trusts.
    pub version: u32,
    /// Number of roots that must sign.
    pub threshold: u8,
    /// Number of roots.
    pub roots: usize,
    /// Root keys.
    pub root_keys: Vec<KeyId>,
    /// Sealing keys. Requests are sealed to the first.
    pub sealing: Vec<KeyId>,
    /// Accepted suites.
    pub suites: Vec<u8>,
    /// Products and their slots.
    pub products: Vec<ProductReport>,
    /// SHA-256 of delegations that former roots signed.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::hex_list"))]
    pub kept: Vec<[u8; 32]>,
    /// Revoked keys.
    pub revoked: Vec<KeyId>,
    /// Rules for licenses that need more than one signer.
    pub rules: Vec<SignerRuleReport>,
    /// True if it is for tests only.
    pub test: bool,
    /// Extensions of the body.
    pub extensions: Vec<ExtensionReport>,
}

/// A product and its slots.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ProductReport {
    /// Id of the product.
    pub id: Text,
    /// Slots of the product.
    pub slots: Vec<Text>,
}

/// A class of licenses that need several signers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SignerRuleReport {
    /// Model of these licenses.
    pub model: Limit<Model>,
    /// Module that they make available beyond its maximum. `None` means all licenses of the model.
    pub above: Option<AboveReport>,
    /// Number of signers that they need.
    pub signers: u8,
}

/// A module, and the maximum above which the rule applies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AboveReport {
    /// Id of the module.
    pub module: Text,
    /// The maximum.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::quota"))]
    pub maximum: Limit<u64>,
}

impl From<&TrustBody> for TrustReport {
    fn from(body: &TrustBody) -> Self {
        let TrustBody {
            version,
            name,
            roots,
            threshold,
            sealing,
            suites,
            products,
            kept,
            revoked,
            signer_rules,
            test,
            extensions,
        } = body;
        let ids =
            |role: Role, keys: &[[u8; 32]]| keys.iter().map(|key| key_id(role, key)).collect();
        let product = |product: &Product| {
            let Product { id, slots } = product;
            ProductReport { id: id.clone(), slots: slots.to_vec() }
        };
        Self {
            vendor: name.clone(),
            vendor_code: None,
            whole_vendor_code: None,
            version: *version,
            threshold: *threshold,
            roots: roots.len(),
            root_keys: ids(Role::Root, roots),
            sealing: ids(Role::Sealing, sealing),
            suites: suites.to_vec(),
            products: products.iter().map(product).collect(),
            kept: kept.to_vec(),
            revoked: revoked.to_vec(),
            rules: signer_rules.iter().map(SignerRuleReport::from).collect(),
            test: *test,
            extensions: extension::reports(extensions),
        }
    }
}

impl From<&Trust> for TrustReport {
    fn from(trust: &Trust) -> Self {
        Self {
            vendor_code: Some(trust.vendor_code()),
            whole_vendor_code: Some(trust.whole_vendor_code()),
            ..trust.body().into()
        }
    }
}

impl From<&SignerRule> for SignerRuleReport {
    fn from(rule: &SignerRule) -> Self {
        let SignerRule { model, above, signers } = rule;
        let above = above.as_ref().map(|above| {
            let ModuleMaximum { module, maximum } = above;
            AboveReport { module: module.clone(), maximum: *maximum }
        });
        Self { model: *model, above, signers: *signers }
    }
}

impl SignerRuleReport {
    /// Formats the rule as it is written on the command line: `model=any above=OBM:50 signers=2`.
    pub fn text(&self) -> String {
        let mut text = match &self.model {
            Limit::Any => "model=any".to_string(),
            Limit::Only(model) => format!("model={model}"),
        };
        if let Some(AboveReport { module, maximum }) = &self.above {
            text += &format!(" above={}", maximum_text(module, *maximum));
        }
        format!("{text} signers={}", self.signers)
    }
}

impl TrustReport {
    /// Returns all rows.
    pub fn rows(&self) -> Vec<Row> {
        let codes = [("vendor code", &self.vendor_code), ("whole code", &self.whole_vendor_code)];
        let codes = codes.into_iter().filter_map(|(name, code)| Some((name, code.clone()?)));
        let (first, others) = self.sealing.split_at(self.sealing.len().min(1));
        let mut rows = vec![("vendor", self.vendor.to_string())];
        rows.extend(codes);
        rows.extend([
            ("version", self.version.to_string()),
            ("roots", format!("{} of {} must sign", self.threshold, self.roots)),
            (
                "products",
                self.products.iter().map(ProductReport::text).collect::<Vec<_>>().join("; "),
            ),
            ("for tests only", yes_or_no(self.test)),
        ]);
        let rules: Vec<_> = self.rules.iter().map(SignerRuleReport::text).collect();
        rows.extend(super::present([
            ("root keys", joined(&self.root_keys)),
            ("sealed to", joined(first)),
            ("also opened with", joined(others)),
            ("kept", joined(self.kept.iter().map(|kept| hex(kept)))),
            ("revoked", joined(&self.revoked)),
            ("rules", rules.join("; ")),
            ("suites", joined(&self.suites)),
        ]));
        rows.extend(extension::row(&self.extensions));
        rows
    }

    /// Returns one row for each fact and each entry of a list, so that two trusts can be compared.
    pub(super) fn facts(&self) -> Vec<Row> {
        let mut facts = vec![
            ("version", self.version.to_string()),
            ("vendor", self.vendor.to_string()),
            ("threshold", self.threshold.to_string()),
        ];
        facts.extend(self.root_keys.iter().map(|key| ("root", key.to_string())));
        for (at, key) in self.sealing.iter().enumerate() {
            let what = if at == 0 { "requests are sealed to" } else { "also opened with" };
            facts.push((what, key.to_string()));
        }
        facts.extend(self.products.iter().map(|product| ("product", product.text())));
        facts.extend(self.kept.iter().map(|kept| ("kept delegation", hex(kept))));
        facts.extend(self.revoked.iter().map(|key| ("revoked key", key.to_string())));
        facts.extend(self.rules.iter().map(|rule| ("rule", rule.text())));
        facts.push(("for tests only", yes_or_no(self.test)));
        facts.extend(self.suites.iter().map(|suite| ("suite", suite.to_string())));
        facts.extend(self.extensions.iter().map(|other| ("extension", extension_text(other))));
        facts
    }
}

impl ProductReport {
    fn text(&self) -> String {
        format!("{} ({})", &*self.id, joined(self.slots.iter().map(|slot| &**slot)))
    }
}
