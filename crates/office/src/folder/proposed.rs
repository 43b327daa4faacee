//! Catalog of a proposed trust: stored next to the proposal while the roots sign, and installed
//! when the trust is published.

use std::path::{Path, PathBuf};

use crate::catalog::{CATALOG_CAP, Catalog, STARTER};
use crate::file::{self, Writing};
use crate::folder::{Folder, read_text};
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::trust::{Product, Trust};
use olr_core::wire::codec::{List, encode};

/// What happened to the catalog when a trust was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    /// The current catalog fits the trust, and stays.
    Kept,
    /// The proposed catalog replaced the current one, which was kept under another name.
    New {
        /// Path of the old catalog.
        before: PathBuf,
    },
    /// The current catalog does not fit the trust, and no other was found.
    Unfit,
}

/// File name under which a catalog waits for a trust with these products: `catalog-1f2e3d4c.toml`.
pub fn waiting_name(products: &List<Product>) -> String {
    let digest = data_encoding::HEXLOWER.encode(&sha256(&encode(products)));
    format!("catalog-{}.toml", digest.get(..8).unwrap_or_default())
}

/// Paths of a waiting catalog and of the one that it replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Path of the catalog.
    pub path: PathBuf,
    /// Path under which an earlier catalog for the same products was kept, if there was one.
    pub before: Option<PathBuf>,
}

/// Stores the text of a proposed catalog in `folder`. If a different one waits there for the same
/// products, keeps that one under another name. Returns the paths of both.
///
/// # Errors
/// Exit 2 when a file cannot be read or written.
pub fn keep_proposed(folder: &Path, catalog: &Catalog, text: &str) -> Result<Waiting> {
    let name = waiting_name(&catalog.wire_products()?);
    let path = folder.join(&name);
    let there = file::read_if_there(&path, CATALOG_CAP)?;
    let stem = name.trim_end_matches(".toml");
    let before = match there.filter(|there| there != text.as_bytes()) {
        Some(there) => Some(keep_apart(folder, &format!("{stem}-before"), &there)?),
        None => None,
    };
    file::write(&path, text.as_bytes(), Writing::Public)?;
    Ok(Waiting { path, before })
}

/// Stores the text of a former catalog under a free name that begins with `stem`, and returns its
/// path. Never overwrites a file, and stores the same text only once.
fn keep_apart(folder: &Path, stem: &str, text: &[u8]) -> Result<PathBuf> {
    for number in 1..NAMES {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{stem}{number}.toml"));
        match file::read_if_there(&path, CATALOG_CAP) {
            Ok(None) => return file::write(&path, text, Writing::New).map(|()| path),
            Ok(Some(there)) if there == text => return Ok(path),
            _ => {}
        }
    }
    let fact = format!("{}: there are too many former catalogs", file::name(folder));
    Err(Error::unable(Problem::TooLarge, fact, "move away those that are no longer needed"))
}

/// Limit for the number in the name of a former catalog.
const NAMES: u32 = 1000;

/// Returns the catalog for a trust: `given`, which must fit, or else the proposed one that waits in
/// one of `places`. `None` if there is neither.
///
/// # Errors
/// Exit 2 when `given` has other products, or a catalog cannot be read.
pub fn catalog_for(trust: &Trust, given: Option<&str>, places: &[&Path]) -> Result<Option<String>> {
    if let Some(text) = given {
        if fits(&Catalog::parse(text)?, trust)? {
            return Ok(Some(text.to_string()));
        }
        let fact = format!(
            "the products or slots of this catalog, or their order, differ from trust {}",
            version(trust)
        );
        return Err(Error::unable(
            Problem::Usage,
            fact,
            "name the catalog that the trust was proposed with",
        ));
    }
    let name = waiting_name(&trust.body().products);
    for path in places.iter().map(|place| place.join(&name)).filter(|path| path.is_file()) {
        let text = read_text(&path)?;
        let catalog = Catalog::parse(&text).map_err(|error| error.within(file::name(&path)))?;
        if fits(&catalog, trust)? {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// Finds the catalog of a new folder as [`catalog_for`] does; `None` means that the starter fits.
///
/// # Errors
/// Same as [`catalog_for`]; exit 2 when no catalog fits.
pub(super) fn first_catalog(
    trust: &Trust,
    given: Option<&str>,
    places: &[&Path],
) -> Result<Option<String>> {
    let found = catalog_for(trust, given, places)?;
    if found.is_some() || fits(&Catalog::parse(STARTER)?, trust)? {
        return Ok(found);
    }
    let fact = format!("trust {} has products that no available catalog has", version(trust));
    Err(Error::unable(
        Problem::Usage,
        fact,
        NextStep::new("name the catalog that the trust was proposed with", &[Remedy::NameCatalog]),
    ))
}

impl Folder {
    /// Installs the catalog of a published trust: `given`, or the one that waits in this folder or
    /// in `beside`. The current catalog stays if it fits and none is given. Doing it again changes
    /// nothing.
    ///
    /// # Errors
    /// Same as [`catalog_for`]; exit 2 when `catalog.toml` cannot be read, or a file cannot be
    /// written.
    pub fn adopt_catalog(
        &self,
        trust: &Trust,
        given: Option<&str>,
        beside: &Path,
    ) -> Result<Adopted> {
        let path = self.path().join("catalog.toml");
        let own = read_text(&path)?;
        let is_fit = match Catalog::parse(&own) {
            Ok(catalog) => fits(&catalog, trust)?,
            Err(_) => false,
        };
        let found = match is_fit && given.is_none() {
            true => None,
            false => catalog_for(trust, given, &[self.path(), beside])?,
        };
        match found.filter(|text| *text != own) {
            Some(text) => {
                let stem = format!("catalog-before-{}", version(trust));
                let before = keep_apart(self.path(), &stem, own.as_bytes())?;
                file::write(&path, text.as_bytes(), Writing::Public)?;
                Ok(Adopted::New { before })
            }
            None if is_fit || given.is_some() => Ok(Adopted::Kept),
            None => Ok(Adopted::Unfit),
        }
    }
}

fn fits(catalog: &Catalog, trust: &Trust) -> Result<bool> {
    Ok(catalog.wire_products()? == trust.body().products)
}

fn version(trust: &Trust) -> u32 {
    trust.body().version
}
