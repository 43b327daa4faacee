//! A new key: its two files, and its passphrase.

use data_encoding::HEXLOWER;
use serde_json::json;
use std::path::PathBuf;

use crate::file::{self, Writing};
use olr_core::crypto::secret::Secret;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_office::key::file::KeyFile;
use olr_office::key::typed::Passphrase;
use olr_office::key::{public, store};

use super::ensure_nothing_at;
use crate::cli::context::Context;
use crate::cli::output::Output;
use crate::cli::passphrase::{new_passphrase, whose};
use crate::cli::show;

// The files of a new key.
#[derive(clap::Args)]
pub struct Save {
    /// The new key file; NAME.pub is written beside it [default: ROLE.key].
    #[arg(short, long, value_name = "NAME.key")]
    output: Option<PathBuf>,
}

// The passphrase of a new key.
#[derive(clap::Args)]
pub struct Protection {
    /// The file with the passphrase of the new key.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Leave the key without a passphrase: anyone who reads the file can use it.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

// The new passphrase, for verbs whose `--passphrase-file` opens an existing key.
#[derive(clap::Args)]
pub struct NewProtection {
    /// The file with the new passphrase.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// Leave the key without a passphrase: anyone who reads the file can use it.
    #[arg(long, conflicts_with = "new_passphrase_file")]
    no_passphrase: bool,
}

impl Protection {
    /// Returns whether the key is to have no passphrase.
    pub fn is_none(&self) -> bool {
        self.no_passphrase
    }

    /// Returns the new passphrase, or `None` if the key is to have none.
    pub fn choose(&self, role: Role, context: &mut Context) -> Result<Option<Passphrase>> {
        if self.no_passphrase {
            return Ok(None);
        }
        let path = self.passphrase_file.as_deref();
        new_passphrase(whose(role), path, "--passphrase-file", context).map(Some)
    }
}

impl NewProtection {
    /// Returns the new passphrase, or `None` if the key is to have none.
    pub fn choose(&self, role: Role, context: &mut Context) -> Result<Option<Passphrase>> {
        if self.no_passphrase {
            return Ok(None);
        }
        let path = self.new_passphrase_file.as_deref();
        new_passphrase(whose(role), path, "--new-passphrase-file", context).map(Some)
    }
}

/// Returns the warning about a key without a passphrase.
pub fn unprotected(role: Role) -> String {
    let can = if role == Role::Sealing { "open requests" } else { "sign" };
    format!("warning: the key has no passphrase: anyone who reads the file can {can}")
}

impl Save {
    /// Returns the paths of the key file and of the public key.
    fn paths(&self, role: Role) -> (PathBuf, PathBuf) {
        let key = self.output.clone().unwrap_or_else(|| format!("{role}.key").into());
        let public = key.with_extension("pub");
        (key, public)
    }

    /// Fails if one of the files already exists, or if the name of the key file does not end in
    /// `.key`, before anyone is asked for a passphrase.
    pub fn ensure_free(&self, role: Role) -> Result<()> {
        let (key, public) = self.paths(role);
        if key.extension().is_none_or(|extension| extension != "key") {
            let fact = format!("{}: the name of a key file must end in .key", file::name(&key));
            return Err(Error::unable(
                Problem::Usage,
                fact,
                "name a file such as root.key with -o",
            ));
        }
        let only_key = file::is_there(&key)? && !file::is_there(&public)?;
        ensure_nothing_at(&key).map_err(|error| match only_key {
            // An earlier run may have been interrupted between the two files.
            true => error.hint(format!(
                "name another file with -o; `olr key show {} --public` prints the public half of \
                 this key",
                file::name(&key)
            )),
            false => error,
        })?;
        ensure_nothing_at(&public)
    }

    pub fn write(
        &self,
        role: Role,
        seed: &Secret,
        passphrase: Option<&Passphrase>,
        context: &mut Context,
    ) -> Result<Output> {
        let (key_path, public_path) = self.paths(role);
        let lock = passphrase.map(|passphrase| (passphrase, store::cost(role)));
        let key = KeyFile::new(role, seed, lock, &mut context.rng)?;
        store::write(&key_path, &key)?;
        file::write(&public_path, public::to_pem(role, &key.public).as_bytes(), Writing::New)?;
        let (file, public_file) = (file::name(&key_path), file::name(&public_path));
        let public = HEXLOWER.encode(&key.public);
        let mut text = show::pairs(&[
            ("role", role.to_string()),
            ("key id", key.id.to_string()),
            ("public key", public.clone()),
            ("key file", file.clone()),
            ("public file", public_file.clone()),
        ]);
        text += &format!("\n\nKeep {file} secret and back it up; {public_file} is public.");
        let json = json!({
            "role": role.word(), "id": key.id.to_string(), "public_key": public, "file": file,
            "public_file": public_file, "passphrase": passphrase.is_some(),
        });
        let mut report = Output::new(text, json);
        if passphrase.is_none() {
            report.notes.push(unprotected(role));
        }
        Ok(report)
    }
}
