//! The catalog of a trust that is on its way to the roots: kept beside the proposal until the trust
//! is published, then put in place.

use std::path::{Path, PathBuf};

use crate::catalog::{CATALOG_CAP, Catalog, STARTER};
use crate::file::{self, Writing};
use crate::folder::{Folder, read_text};
use olr_core::crypto::digest::sha256;
use olr_core::error::{Error, NextStep, Problem, Remedy, Result};
use olr_core::trust::{Product, Trust};
use olr_core::wire::codec::{List, encode};

/// What became of the catalog when a trust was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopted {
    /// The catalog that is there has the products of the trust.
    Kept,
    /// Another one took its place; the old one was set aside.
    New {
        /// Where the old one is.
        before: PathBuf,
    },
    /// The catalog that is there has other products, and no other is at hand.
    Unfit,
}

/// The name under which a catalog waits for a trust with these products: `catalog-1f2e3d4c.toml`.
pub fn waiting_name(products: &List<Product>) -> String {
    let digest = data_encoding::HEXLOWER.encode(&sha256(&encode(products)));
    format!("catalog-{}.toml", digest.get(..8).unwrap_or_default())
}

/// Where a catalog waits, and where the one is that waited there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The catalog.
    pub path: PathBuf,
    /// Another one that was proposed for the same products before.
    pub before: Option<PathBuf>,
}

/// Keeps the text of a catalog that is proposed in `folder`, and says where. One that waits there with
/// the same products is set aside.
///
/// # Errors
/// Exit 2 when it cannot be read or written.
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

/// Keeps what a catalog was under a name that begins with `stem`, and says where. Another text that is
/// there stays; the same one is not kept twice.
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
    let fact = format!("{}: there are very many former catalogs", file::name(folder));
    Err(Error::unable(Problem::TooLarge, fact, "move those away that nobody needs any more"))
}

/// So many former catalogs of one trust are kept.
const NAMES: u32 = 1000;

/// The catalog for a trust: the one given, which has to fit; else the one that was proposed with it and
/// waits in one of `places`.
///
/// # Errors
/// Exit 2: the one given has other products, or one cannot be read.
pub fn catalog_for(trust: &Trust, given: Option<&str>, places: &[&Path]) -> Result<Option<String>> {
    if let Some(text) = given {
        if fits(&Catalog::parse(text)?, trust)? {
            return Ok(Some(text.to_string()));
        }
        let fact =
            format!("this catalog has other products or slots than trust {}", version(trust));
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

/// The catalog of a new folder: as [`catalog_for`], else the starter, where it fits.
///
/// # Errors
/// As [`catalog_for`]; exit 2 where none is at hand.
pub(super) fn first_catalog(
    trust: &Trust,
    given: Option<&str>,
    places: &[&Path],
) -> Result<Option<String>> {
    let found = catalog_for(trust, given, places)?;
    if found.is_some() || fits(&Catalog::parse(STARTER)?, trust)? {
        return Ok(found);
    }
    let fact = format!("trust {} has products that no catalog at hand has", version(trust));
    Err(Error::unable(
        Problem::Usage,
        fact,
        NextStep::new("name the catalog it was proposed with", &[Remedy::NameCatalog]),
    ))
}

impl Folder {
    /// Puts the catalog of a published trust in place, as [`catalog_for`] finds it; the folder is
    /// one of its places. Done again, it changes nothing.
    ///
    /// # Errors
    /// As [`catalog_for`]; exit 2 when nothing can be written.
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
