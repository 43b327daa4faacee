//! The staff's passphrase: issuer and sealing key have the same, so it is asked for once.

use std::path::PathBuf;
use zeroize::Zeroizing;

use olr::crypto::secret::Passphrase;
use olr::error::Result;
use olr::key::file::KeyFile;

use super::passphrase::passphrase;

#[derive(clap::Args)]
pub struct StaffArg {
    /// The file with the staff's passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl StaffArg {
    /// Gives the passphrase of a key, and remembers what was entered for the next one.
    pub fn asker(&self) -> impl FnMut(&KeyFile) -> Result<Passphrase> {
        let mut entered: Option<Zeroizing<Vec<u8>>> = None;
        move |key| {
            if let Some(bytes) = &entered {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return Ok(Passphrase::new(text.into()));
            }
            let passphrase = passphrase(key, self.passphrase_file.as_deref())?;
            entered = Some(passphrase.expose().to_vec().into());
            Ok(passphrase)
        }
    }
}
