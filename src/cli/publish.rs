//! `olr vendor publish`: puts into effect what the roots signed.

use serde_json::json;
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::error::{Error, Problem, Result};
use olr_core::wire::frame::{Header, Kind};
use olr_office::folder::{Folder, read_text};

use super::context::Context;
use super::files::read_artefact;
use super::output::{Output, put};
use crate::cli::args::vendor::VendorArg;
use crate::cli::proposal::published;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    /// A trust or a delegation, as `olr key combine` writes it.
    file: PathBuf,
    /// The catalog of the trust [default: the one in the vendor's folder, if it fits the trust;
    /// else the one that `olr key propose --catalog` stored, if that is in the vendor's folder or
    /// beside FILE; else, for a new folder, the starter catalog].
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
}

pub fn run(args: &Args, context: &Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let bytes = read_artefact(None, &args.file)?;
    if Header::peek(&bytes)? == Kind::Proposal {
        let fact = format!("{}: this is a proposal, not the finished file", file::name(&args.file));
        let hint = "finish a trust or a delegation with `olr key combine` first, and a license \
                    with `olr issue --signed`";
        return Err(Error::unable(Problem::Usage, fact, hint));
    }
    let is_new = !file::is_there(&folder.path().join("vendor.trust"))?;
    if is_new && Header::peek(&bytes)? == Kind::Trust {
        return begin(&folder, &bytes, args);
    }
    let catalog = args.catalog.as_deref().map(read_text).transpose()?;
    let (text, mut json) =
        published(&folder, &bytes, catalog.as_deref(), beside(&args.file), context.now)?;
    put(&mut json, "folder", json!(file::name(folder.path())));
    Ok(Output::new(text, json))
}

/// Returns the folder of a file.
fn beside(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a vendor folder around a trust that custodians made elsewhere.
fn begin(folder: &Folder, bytes: &[u8], args: &Args) -> Result<Output> {
    let catalog = args.catalog.as_deref().map(read_text).transpose()?;
    let (folder, trust) =
        Folder::begin(folder.path(), bytes, catalog.as_deref(), beside(&args.file))?;
    let (place, code) = (file::name(folder.path()), trust.vendor_code());
    let text = format!(
        "Created the folder {place} for trust {}.\n\nvendor code  {code}\n\nCompare the vendor code with the \
         custodians: only the code shows whose trust this is.\n\
         Then copy the issuer and sealing keys into {place}/keys, and publish the issuer's \
         delegation.",
        trust.body().version
    );
    let json =
        json!({"trust": trust.body().version, "new": true, "vendor_code": code, "folder": place});
    Ok(Output::new(text, json))
}
