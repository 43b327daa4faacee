//! The staff's passphrase: issuer and sealing key share it, so it is asked for once. It is never
//! tried on a token, which counts every wrong PIN.

use std::path::PathBuf;
use zeroize::Zeroizing;

use olr_core::error::Result;
use olr_office::folder::Locked;
use olr_office::key::typed::Passphrase;

use crate::cli::passphrase::passphrase;

#[derive(clap::Args)]
pub struct StaffArg {
    /// The file with the staff passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl StaffArg {
    /// Returns a function that asks for the passphrase of a key file, and gives the same passphrase
    /// for the next key file. It asks for the PIN of a token each time.
    pub fn asker(&self) -> impl FnMut(&Locked) -> Result<Passphrase> {
        let mut entered: Option<Zeroizing<Vec<u8>>> = None;
        move |locked| {
            if let Locked::Token(_) = locked {
                return passphrase(locked, None);
            }
            if let Some(bytes) = &entered {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return Ok(Passphrase::new(text.into()));
            }
            let passphrase = passphrase(locked, self.passphrase_file.as_deref())?;
            entered = Some(passphrase.expose().to_vec().into());
            Ok(passphrase)
        }
    }
}
