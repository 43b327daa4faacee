//! Making a vendor: keys, the first trust, the issuer's delegation, starter files.

use rand::CryptoRng;
use std::path::Path;

use crate::catalog::{Catalog, STARTER};
use crate::crypto::passphrase::Cost;
use crate::crypto::secret::{Passphrase, Secret};
use crate::crypto::sign::SigningKey;
use crate::error::{Error, Result};
use crate::file::{self, Writing};
use crate::issue::STARTER_GRANT;
use crate::key::Role;
use crate::key::file::KeyFile;
use crate::key::store;
use crate::trust::{Act, DelegationBody, Trust, TrustBody, sign_by_roots, vendor_id};
use crate::vendor::Folder;
use crate::wire::armor::armor;
use crate::wire::codec::{Limit, List, Set, Text, encode};
use crate::wire::frame::{Kind, SUITE, Unsigned};

/// What a new vendor is made of.
#[derive(Debug)]
pub struct Init<'a> {
    /// The vendor's name for people.
    pub name: &'a str,
    /// The catalog's text; by default the starter's.
    pub catalog: Option<&'a str>,
    /// Protects the keys; without, they open for whoever reads them.
    pub passphrases: Option<Passphrases>,
    /// Whether everything under this vendor is for tests only.
    pub test: bool,
}

/// One passphrase for the root key, one for issuer and sealing key.
#[derive(Debug)]
pub struct Passphrases {
    /// For the root.
    pub root: Passphrase,
    /// For the staff.
    pub staff: Passphrase,
}

impl Folder {
    /// Makes the whole folder at `path`, or nothing.
    ///
    /// # Errors
    /// Exit 2: there is something at `path` already, the catalog is wrong, or nothing can be written.
    pub fn init(path: &Path, init: &Init<'_>, rng: &mut impl CryptoRng) -> Result<(Self, Trust)> {
        Self::expect_new(path)?;
        let catalog_text = init.catalog.unwrap_or(STARTER);
        let catalog = Catalog::parse(catalog_text)?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        file::make_folder(parent)?;
        let unwritable = |_| {
            let fact = format!("{}: the folder cannot be made", file::name(path));
            Error::unable(fact, "choose a folder you may write to")
        };
        let draft =
            tempfile::Builder::new().prefix(".olr-").tempdir_in(parent).map_err(unwritable)?;
        let trust = fill(draft.path(), init, catalog_text, &catalog, rng)?;
        if path.is_dir() {
            std::fs::remove_dir(path).map_err(unwritable)?;
        }
        std::fs::rename(draft.path(), path).map_err(unwritable)?;
        Ok((Self::at(path), trust))
    }

    /// A vendor folder is never written over.
    ///
    /// # Errors
    /// Exit 2 when there is something at `path`; an empty folder will do.
    pub fn expect_new(path: &Path) -> Result<()> {
        let taken = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => std::fs::symlink_metadata(path).is_ok(),
        };
        if !taken {
            return Ok(());
        }
        let fact = format!("{}: it is there already", file::name(path));
        Err(Error::unable(fact, "choose a new folder: keys are never written over"))
    }
}

fn fill(
    folder: &Path,
    init: &Init<'_>,
    catalog_text: &str,
    catalog: &Catalog,
    rng: &mut impl CryptoRng,
) -> Result<Trust> {
    for name in ["keys", "delegations", "issued", "revocations"] {
        file::make_folder(&folder.join(name))?;
    }
    let mut key = |role: Role| -> Result<(Secret, [u8; 32])> {
        let seed = Secret::random(rng);
        let passphrase = init.passphrases.as_ref().map(|passphrases| match role {
            Role::Root => (&passphrases.root, Cost::ROOT),
            _ => (&passphrases.staff, Cost::STAFF),
        });
        let file = KeyFile::new(role, &seed, passphrase, rng)?;
        store::write(&folder.join("keys").join(format!("{role}.key")), &file)?;
        Ok((seed, file.public))
    };
    let (root, root_public) = key(Role::Root)?;
    let (_, issuer_public) = key(Role::Issuer)?;
    let (_, sealing_public) = key(Role::Sealing)?;
    let root = SigningKey::from_seed(&root);
    let trust_body = encode(&first_trust(init, catalog, root_public, sealing_public)?);
    let vendor = vendor_id(&trust_body);
    let trust = Unsigned::new(Kind::Trust, vendor, Vec::new(), trust_body)?;
    let trust = Trust::pin(&sign_by_roots(&trust, &[&root])?)?;
    let delegation_body = encode(&unlimited(issuer_public)?);
    let delegation = Unsigned::new(Kind::Delegation, vendor, Vec::new(), delegation_body)?;
    let delegation = sign_by_roots(&delegation, &[&root])?;
    let public =
        |name: &str, text: &str| file::write(&folder.join(name), text.as_bytes(), Writing::New);
    public("vendor.trust", &armor(Kind::Trust, trust.bytes()))?;
    public("delegations/issuer.olr", &armor(Kind::Delegation, &delegation))?;
    public("catalog.toml", catalog_text)?;
    if init.catalog.is_none() {
        public("grant.toml", STARTER_GRANT)?;
    }
    Ok(trust)
}

fn first_trust(
    init: &Init<'_>,
    catalog: &Catalog,
    root: [u8; 32],
    sealing: [u8; 32],
) -> Result<TrustBody> {
    Ok(TrustBody {
        version: 1,
        name: Text::new(init.name).map_err(|error| error.within("the vendor's name"))?,
        roots: Set::new(vec![root])?,
        threshold: 1,
        sealing: List::new(vec![sealing])?,
        suites: Set::new(vec![SUITE])?,
        products: catalog.wire_products()?,
        kept: Set::default(),
        revoked: Set::default(),
        signer_rules: List::default(),
        test: init.test,
        extensions: Set::default(),
    })
}

/// A delegation with every limit written as *any*.
fn unlimited(issuer: [u8; 32]) -> Result<DelegationBody> {
    Ok(DelegationBody {
        issuer,
        acts: Set::new(vec![Act::License, Act::Revoke, Act::Time])?,
        products: Limit::Any,
        slots: Limit::Any,
        types: Limit::Any,
        modules: Limit::Any,
        longest_term: Limit::Any,
        from: Limit::Any,
        until: Limit::Any,
        extensions: Set::default(),
    })
}
