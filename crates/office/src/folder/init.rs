//! Creating a vendor: keys, the first trust, the issuer's delegation, starter files.

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

/// Parameters of a new vendor.
#[derive(Debug)]
pub struct Init<'a> {
    /// Display name of the vendor.
    pub name: &'a str,
    /// Text of the catalog; `None` for the starter catalog.
    pub catalog: Option<&'a str>,
    /// Passphrases of the keys; `None` stores the keys unencrypted.
    pub passphrases: Option<Passphrases>,
    /// True if everything issued by this vendor is for tests only.
    pub test: bool,
    /// Number of root keys, and their threshold.
    pub roots: Roots,
}

/// Number of root keys, and how many must sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roots {
    /// Number of root keys.
    pub count: u8,
    /// Number of roots that must sign.
    pub threshold: u8,
}

impl Default for Roots {
    fn default() -> Self {
        Self { count: 1, threshold: 1 }
    }
}

/// Passphrases of a new vendor: one for the root keys, one for the issuer and sealing keys.
#[derive(Debug)]
pub struct Passphrases {
    /// Passphrase of the root keys.
    pub root: Passphrase,
    /// Passphrase of the issuer and sealing keys, known to the staff.
    pub staff: Passphrase,
}

impl Folder {
    /// Creates the complete folder at `path`, or nothing.
    ///
    /// # Errors
    /// Exit 2: there is something other than an empty folder at `path`; the name, the catalog, the
    /// number of roots or a passphrase cannot be used; or the folder cannot be written.
    pub fn init(path: &Path, init: &Init<'_>, rng: &mut impl CryptoRng) -> Result<(Self, Trust)> {
        Self::ensure_new(path)?;
        let Roots { count, threshold } = init.roots;
        if count == 0 || count > ROOTS_CAP || threshold == 0 || threshold > count {
            let fact = format!("{threshold} of {count} roots is not possible");
            let hint = "choose 1 to 8 roots, and a threshold from 1 to that number";
            return Err(Error::unable(Problem::Usage, fact, hint));
        }
        let catalog_text = init.catalog.unwrap_or(STARTER);
        let catalog = Catalog::parse(catalog_text)?;
        let fill = |draft: &Path| fill(draft, init, catalog_text, &catalog, rng);
        let trust = Self::make(path, fill)?;
        Ok((Self::at(path), trust))
    }

    /// Creates a vendor folder atomically: `fill` writes into a draft in the same parent folder,
    /// which is renamed to `path` when it is complete.
    pub(super) fn make<T>(path: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        file::make_folder(parent)?;
        let unwritable = |error: std::io::Error| {
            let say = |why: &str| format!("the folder cannot be created: {why}");
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

    /// Checks that `path` is free: a vendor folder is never overwritten.
    ///
    /// # Errors
    /// Exit 2 when there is something other than an empty folder at `path`.
    pub fn ensure_new(path: &Path) -> Result<()> {
        let taken = match std::fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => std::fs::symlink_metadata(path).is_ok(),
        };
        if !taken {
            return Ok(());
        }
        let fact = format!("{}: it already exists", file::name(path));
        Err(Error::unable(Problem::Exists, fact, "choose a new folder, or an empty one"))
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
    Folder::at(folder).create_ledger()?;
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

/// Subfolders of a vendor folder.
pub(super) const PARTS: [&str; 4] = ["keys", "delegations", "revocations", "trusts"];

/// Returns the grant that a new folder starts with: the starter grant, or one that fits the given
/// catalog. `None` if no grant fits it, for example because no type may be activated offline.
pub(super) fn first_grant(given: Option<&str>, catalog: &Catalog) -> Option<String> {
    given.map_or(Some(STARTER_GRANT.to_string()), |text| starter_grant(catalog, text))
}

/// Maximum number of roots in a trust.
const ROOTS_CAP: u8 = 8;

/// A delegation for all acts, without limits.
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
