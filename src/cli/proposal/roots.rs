//! The root keys available here.

use std::path::PathBuf;
use zeroize::Zeroizing;

use olr_core::error::{Problem, Result};
use olr_core::key::Role;
use olr_core::proposal::Proposal;
use olr_core::trust::Trust;
use olr_office::folder::{Folder, Locked, open_signer};
use olr_office::key::file::KeyFile;
use olr_office::key::typed::Passphrase;

use super::{confirm, ensure_counts};
use crate::cli::passphrase::passphrase;

#[derive(clap::Args)]
pub struct RootArgs {
    /// A root key that signs: a key file, a name in keys/ or pkcs11:… (repeatable) [default: as
    /// many of those in keys/ as are needed].
    #[arg(long = "root", value_name = "KEY")]
    roots: Vec<String>,
    /// The file with the passphrase of the root keys.
    #[arg(long, value_name = "FILE")]
    root_passphrase_file: Option<PathBuf>,
    /// Do not ask for confirmation.
    #[arg(long)]
    pub yes: bool,
}

impl RootArgs {
    /// Shows the proposal, asks, and signs it with the available roots.
    pub fn sign(
        &self,
        proposal: Proposal,
        folder: Option<&Folder>,
        trust: &Trust,
    ) -> Result<Proposal> {
        let keys = self.at_hand(&proposal, folder, trust)?;
        if keys.is_empty() {
            return Ok(proposal);
        }
        confirm(&proposal, Some(trust), folder, self.yes)?;
        // The passphrase file is read once, since it may be a pipe.
        let mut entered: Option<Zeroizing<Vec<u8>>> = None;
        let mut ask = |locked: &Locked| -> Result<Passphrase> {
            if let (Locked::KeyFile { .. }, Some(bytes)) = (locked, &entered) {
                return Ok(Passphrase::new(String::from_utf8_lossy(bytes).into_owned().into()));
            }
            let given = passphrase(locked, self.root_passphrase_file.as_deref());
            if let (Locked::KeyFile { .. }, Some(_), Ok(given)) =
                (locked, &self.root_passphrase_file, &given)
            {
                entered = Some(given.expose().to_vec().into());
            }
            given.map_err(|error| match (locked, error.problem()) {
                (Locked::KeyFile { role: Role::Root, .. }, Some(Problem::NeedsPassphrase)) => {
                    error.hint("give --root-passphrase-file FILE, or run olr in a terminal")
                }
                _ => error,
            })
        };
        let mut signed = proposal;
        for key in keys {
            let enough = signed.still_missing(Some(trust))?.is_none();
            if self.roots.is_empty() && enough {
                break;
            }
            signed = signed.sign(&*open_signer(&key, Role::Root, &mut ask)?, Some(trust))?;
        }
        Ok(signed)
    }

    /// Returns the named roots, or else those in the folder whose signatures count.
    fn at_hand(
        &self,
        proposal: &Proposal,
        folder: Option<&Folder>,
        trust: &Trust,
    ) -> Result<Vec<String>> {
        if self.roots.is_empty() {
            let keys = folder.map(|folder| folder.keys(Role::Root)).transpose()?;
            let counts = |key: &KeyFile| proposal.ensure_counts(&key.public, Some(trust)).is_ok();
            let keys = keys.into_iter().flatten().filter(|(_, key)| counts(key));
            return Ok(keys.map(|(path, _)| path.to_string_lossy().into_owned()).collect());
        }
        let mut keys = Vec::new();
        for named in &self.roots {
            let path = match folder {
                Some(folder) => folder.key_path(named),
                None => Some(PathBuf::from(named)).filter(|path| path.is_file()),
            };
            keys.push(match path {
                Some(path) => {
                    ensure_counts(&path, proposal, Some(trust))?;
                    path.to_string_lossy().into_owned()
                }
                None => named.clone(),
            });
        }
        Ok(keys)
    }
}
