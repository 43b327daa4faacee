//! The vendor that a caller of the server's verbs expects, and the vendor that is named in reports.

use serde_json::{Value, json};
use std::path::PathBuf;

use crate::file;
use crate::home::Home;
use olr_core::error::Result;
use olr_core::state::Expected;
use olr_core::trust::{Trust, VendorCode};
use olr_core::wire::frame::Kind;

use super::home::HomeArg;
use crate::cli::context::Context;
use crate::cli::files::read_artefact;
use crate::cli::output::Output;

// The expected vendor; by default, the vendor that the home trusts.
#[derive(clap::Args)]
pub struct ExpectedArg {
    /// Refuse what neither this vendor.trust nor a trust that follows it verifies.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Refuse the vendor unless one of its trusts in this home has this code: 12 characters, or all
    /// 52.
    #[arg(long, value_name = "CODE")]
    vendor_code: Option<String>,
}

impl ExpectedArg {
    /// Opens the home, restricted to the expected vendor.
    pub fn open(&self, home: &HomeArg, context: &mut Context) -> Result<Home> {
        let trust = self.trust.as_deref().map(|path| {
            let bytes = read_artefact(Some(Kind::Trust), path)?;
            Trust::pin(&bytes).map_err(|error| error.within(file::name(path)))
        });
        let code = self.vendor_code.as_deref().map(str::parse::<VendorCode>);
        let expected = Expected { trust: trust.transpose()?, code: code.transpose()? };
        Ok(home.find(context)?.expecting(expected))
    }
}

impl Output {
    /// Adds the vendor to the JSON: its id, which proves nothing by itself, and the code of its
    /// roots.
    pub fn of_vendor(mut self, trust: &Trust) -> Self {
        if let Value::Object(json) = &mut self.json {
            json.insert("vendor_id".to_string(), json!(trust.vendor().to_string()));
            json.insert("vendor_code".to_string(), json!(trust.vendor_code()));
        }
        self
    }
}
