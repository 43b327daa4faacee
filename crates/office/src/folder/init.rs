//! Making a vendor: keys, the first trust, the issuer's delegation, starter files.

use rand::CryptoRng;
use std::path::Path;

use crate::catalog::{Catalog, STARTER};
use crate::file::{self, Access, Draft, Writing};
use crate::folder::propose::first_body;
use crate::folder::{FirstTrust, Folder};
use crate::issue::{STARTER_GRANT, starter_grant};
use crate::key::file::KeyFile;
use crate::key::passphrase::Cost;
use crate::key::store;
use crate::key::typed::Passphrase;
use olr_core::armor::armor;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::{Signer, SigningKey};
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_core::trust::{Act, DelegationBody, Trust, sign_by_roots, vendor_id};
use olr_core::wire::codec::{Limit, Set, encode};
use olr_core::wire::frame::{Kind, Unsigned};

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
    /// How many root keys, and how many of them must sign.
    pub roots: Roots,
}

/// How many roots there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roots {
    /// Root keys.
    pub count: u8,
    /// How many of them must sign.
    pub threshold: u8,
}

impl Default for Roots {
    fn default() -> Self {
        Self { count: 1, threshold: 1 }
    }
}

/// One passphrase for the root keys, one for issuer and sealing key.
#[derive(Debug)]
pub struct Passphrases {
    /// For the roots.
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
        Self::ensure_new(path)?;
        let Roots { count, threshold } = init.roots;
        if count == 0 || count > ROOTS_CAP || threshold == 0 || threshold > count {
            let fact = format!("{threshold} of {count} roots can never be");
            let hint = "let there be 1 to 8 roots, and let 1 to all of them sign";
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
        let catalog_text = init.catalog.unwrap_or(STARTER);
        let catalog = Catalog::parse(catalog_text)?;
        let fill = |draft: &Path| fill(draft, init, catalog_text, &catalog, rng);
        let trust = Self::make(path, fill)?;
        Ok((Self::at(path), trust))
    }

    /// Makes a vendor folder in one step: `fill` writes into a draft beside it, which takes its place
    /// when it is whole.
    pub(super) fn make<T>(path: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        file::make_folder(parent)?;
        let unwritable = |error: std::io::Error| {
            let say = |why: &str| format!("the folder cannot be made: {why}");
            file::failed_saying(Access::Write, path, &error, say)
        };
        let draft = Draft::new(parent).map_err(unwritable)?;
        for name in PARTS {
            file::make_private_folder(&draft.path().join(name))?;
        }
        let made = fill(draft.path())?;
        draft.commit(path).map_err(unwritable)?;
        Ok(made)
    }

    /// A vendor folder is never written over.
    ///
    /// # Errors
    /// Exit 2 when there is something at `path`; an empty folder will do.
    pub fn ensure_new(path: &Path) -> Result<()> {
        let taken = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => std::fs::symlink_metadata(path).is_ok(),
        };
        if !taken {
            return Ok(());
        }
        let fact = format!("{}: it is there already", file::name(path));
        Err(Error::unable(
            Problem::Exists,
            fact,
            "choose a new folder: keys are never written over",
        ))
    }
}

fn fill(
    folder: &Path,
    init: &Init<'_>,
    catalog_text: &str,
    catalog: &Catalog,
    rng: &mut impl CryptoRng,
) -> Result<Trust> {
    let mut key = |role: Role, name: String| -> Result<(Secret, [u8; 32])> {
        let seed = Secret::random(rng);
        let passphrase = init.passphrases.as_ref().map(|passphrases| match role {
            Role::Root => (&passphrases.root, Cost::ROOT),
            _ => (&passphrases.staff, Cost::STAFF),
        });
        let file = KeyFile::new(role, &seed, passphrase, rng)?;
        store::write(&folder.join("keys").join(format!("{name}.key")), &file)?;
        Ok((seed, file.public))
    };
    let (mut roots, mut root_publics) = (Vec::new(), Vec::new());
    for number in 1..=init.roots.count {
        let name = if init.roots.count == 1 { "root".into() } else { format!("root-{number}") };
        let (seed, public) = key(Role::Root, name)?;
        roots.push(SigningKey::from_seed(&seed));
        root_publics.push(public);
    }
    let (_, issuer_public) = key(Role::Issuer, "issuer".into())?;
    let (_, sealing_public) = key(Role::Sealing, "sealing".into())?;
    let roots: Vec<&dyn Signer> = roots.iter().map(|root| root as &dyn Signer).collect();
    let trust_body = encode(&first_body(&FirstTrust {
        name: init.name,
        roots: &root_publics,
        threshold: init.roots.threshold,
        sealing: &[sealing_public],
        catalog,
        test: init.test,
    })?);
    let vendor = vendor_id(&trust_body);
    let trust = Unsigned::new(Kind::Trust, vendor, Vec::new(), trust_body)?;
    let trust = Trust::pin(&sign_by_roots(&trust, &roots)?)?;
    let delegation_body = encode(&unlimited(issuer_public)?);
    let delegation = Unsigned::new(Kind::Delegation, vendor, Vec::new(), delegation_body)?;
    let delegation = sign_by_roots(&delegation, &roots)?;
    let public =
        |name: &str, text: &str| file::write(&folder.join(name), text.as_bytes(), Writing::New);
    public("vendor.trust", &armor(Kind::Trust, trust.bytes()))?;
    public("trusts/1.trust", &armor(Kind::Trust, trust.bytes()))?;
    public("delegations/issuer.olr", &armor(Kind::Delegation, &delegation))?;
    public("catalog.toml", catalog_text)?;
    if let Some(grant) = first_grant(init.catalog, catalog) {
        public("grant.toml", &grant)?;
    }
    Ok(trust)
}

/// The folders in a vendor's folder.
pub(super) const PARTS: [&str; 5] = ["keys", "delegations", "issued", "revocations", "trusts"];

/// The grant that a new folder starts with: the starter's, or one that fits the catalog that was
/// given. `None` where nothing in it is activated offline.
pub(super) fn first_grant(given: Option<&str>, catalog: &Catalog) -> Option<String> {
    given.map_or(Some(STARTER_GRANT.to_string()), |text| starter_grant(catalog, text))
}

/// Most roots of a trust.
const ROOTS_CAP: u8 = 8;

/// A delegation with every limit written as *any*.
fn unlimited(issuer: [u8; 32]) -> Result<DelegationBody> {
    Ok(DelegationBody {
        issuer,
        acts: Set::new(vec![Act::License, Act::Revoke, Act::Time])?,
        products: Limit::Any,
        slots: Limit::Any,
        types: Limit::Any,
        models: Limit::Any,
        editions: Limit::Any,
        modules: Limit::Any,
        longest_term: Limit::Any,
        ahead: Limit::Any,
        longest_grace: Limit::Any,
        longest_maintenance: Limit::Any,
        afterwards: Limit::Any,
        weak_machine: true,
        from: Limit::Any,
        until: Limit::Any,
        extensions: Set::default(),
    })
}
