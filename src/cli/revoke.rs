//! `olr revoke`: take a license back.

use serde_json::json;

use olr::display::shown;
use olr::error::{Error, Result};
use olr::file;
use olr::revocation::Revocations;
use olr::wire::frame::Kind;
use olr::wire::id::LicenseId;

use super::context::Context;
use super::files::Output;
use super::output::Report;
use super::request::expect_visible;
use super::staff::StaffArg;
use super::vendor::VendorArg;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: Output,
    /// The id of a license that was issued: `olr vendor issued` lists them.
    #[arg(required_unless_present = "again")]
    id: Option<String>,
    /// Why; it is kept with the revocation and does not leave the vendor.
    #[arg(long, value_name = "R", required_unless_present = "again")]
    reason: Option<String>,
    /// Sign the newest revocations once more, after a rotation of keys or with nothing new.
    #[arg(long, conflicts_with_all = ["id", "reason"])]
    again: bool,
    #[command(flatten)]
    staff: StaffArg,
}

const NAME: &str = "revoked.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let folder = args.vendor.folder()?;
    let trust = folder.trust()?;
    args.output
        .expect_free(NAME, Kind::Revocations, |bytes| Revocations::verify(bytes, &trust).is_ok())?;
    let mut ask = args.staff.asker();
    let (record, revoked) = match (&args.id, &args.reason) {
        (Some(id), Some(reason)) => {
            expect_visible("the reason", reason)?;
            let Some(license) = LicenseId::from_hex(id.trim()) else {
                let fact = format!("{} is no license id", shown(id));
                return Err(Error::unable(fact, "copy it from `olr vendor issued`"));
            };
            let record = folder.issued_license(license)?;
            let revoked = folder.revoke(&record, reason, context.now, &trust, &mut ask)?;
            (Some(record), revoked)
        }
        _ => (None, folder.revoke_again(context.now, &trust, &mut ask)?),
    };
    let body = &revoked.body;
    let (file, count) = (args.output.name(NAME), body.licenses.len());
    let said = match (&record, revoked.already) {
        (Some(record), true) => {
            format!(
                "License {} of {} was revoked before.",
                record.license_id,
                shown(&record.licensee)
            )
        }
        (Some(record), false) => format!(
            "License {} of {} is revoked: every later license carries this to its server.",
            record.license_id,
            shown(&record.licensee)
        ),
        (None, _) => "The revocations are signed anew.".to_string(),
    };
    let text = format!(
        "{said}\nWrote {file}, revocations {}.{} with {count} in all: give it to servers that get no new license soon.",
        body.version, body.sequence
    );
    let json = json!({
        "license_id": record.as_ref().map(|record| &record.license_id), "already": revoked.already,
        "version": body.version, "sequence": body.sequence, "revoked_licenses": count, "file": file,
    });
    let mut report = Report::new(text, json);
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    args.output.write(NAME, Kind::Revocations, &revoked.file, &mut report)?;
    Ok(report)
}
