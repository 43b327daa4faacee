//! `olr vendor check-catalog`: finds mistakes in a catalog before a license is issued from it.

use serde_json::json;
use std::path::PathBuf;

use crate::file;
use olr_core::error::Result;
use olr_office::catalog::Catalog;
use olr_office::folder::read_text;

use super::context::Context;
use super::output::Output;
use crate::cli::args::vendor::VendorArg;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    /// The catalog [default: catalog.toml in the vendor's folder].
    file: Option<PathBuf>,
}

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let path = match &args.file {
        Some(path) => path.clone(),
        None => args.vendor.folder()?.path().join("catalog.toml"),
    };
    let place = file::name(&path);
    let catalog = Catalog::parse(&read_text(&path)?).map_err(|error| error.within(&place))?;
    let mut warnings = catalog.warnings();
    // Customers know only the products that the trust names.
    if let Some(folder) = args.vendor.given().filter(|_| args.file.is_none())
        && let Ok(trust) = folder.trust()
    {
        warnings.extend(folder.not_covered(&catalog, &trust, context.now)?);
        let unknown = catalog.wire_products()?.into_vec().into_iter();
        let unknown = unknown.filter(|product| !trust.body().products.contains(product));
        warnings.extend(unknown.map(|product| {
            format!(
                "product {}: vendor.trust lacks it, or lists its slots differently; run `olr key \
                 propose --catalog FILE`",
                &*product.id
            )
        }));
    }
    let count = |count: usize, one: &str, more: &str| {
        format!("{count} {}", if count == 1 { one } else { more })
    };
    let text = format!(
        "{place}: {}, {}, {}, {}. {}",
        count(catalog.products.len(), "product", "products"),
        count(catalog.types.len(), "license type", "license types"),
        count(catalog.modules.len(), "module", "modules"),
        count(catalog.policies.len(), "machine policy", "machine policies"),
        match warnings.len() {
            0 => "No errors.".to_string(),
            more => format!("No errors; {}.", count(more, "warning", "warnings")),
        }
    );
    let releases = catalog.products.iter().map(|product| product.releases.len()).sum::<usize>();
    let languages: Vec<_> = catalog.languages.iter().map(|language| &**language).collect();
    let json = json!({
        "catalog": place, "products": catalog.products.len(), "releases": releases,
        "types": catalog.types.len(), "modules": catalog.modules.len(),
        "policies": catalog.policies.len(), "languages": languages, "warnings": warnings,
    });
    let mut report = Output::new(text, json);
    report.notes.extend(
        warnings.iter().map(|warning| format!("warning: {}", olr_core::display::shown(warning))),
    );
    Ok(report)
}
