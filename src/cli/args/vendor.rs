//! The folder of a vendor.

use std::path::PathBuf;

use olr_core::error::{Error, Problem, Result};
use olr_office::folder::Folder;

use super::home::from_environment;

// The vendor's folder.
#[derive(clap::Args)]
pub struct VendorArg {
    /// The vendor's folder: keys, catalog, records [default: $OLR_VENDOR].
    #[arg(long = "vendor", value_name = "DIR")]
    vendor: Option<PathBuf>,
}

impl VendorArg {
    pub fn folder(&self) -> Result<Folder> {
        self.given().ok_or_else(|| {
            Error::unable(
                Problem::Usage,
                "no vendor folder was named",
                "name it with --vendor DIR or $OLR_VENDOR",
            )
        })
    }

    pub fn given(&self) -> Option<Folder> {
        self.vendor.clone().or_else(|| from_environment("OLR_VENDOR")).map(Folder::at)
    }
}
