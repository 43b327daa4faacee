//! `olr vendor time-anchor`: tells a server the time.

use serde_json::json;
use std::path::PathBuf;

use crate::file;
use olr_core::display::shown;
use olr_core::error::Result;
use olr_core::time::{DAY, Instant};
use olr_core::timestamp::Timestamp;
use olr_core::wire::frame::Kind;

use super::context::Context;
use super::files::{OutFile, read_artefact};
use super::output::Output;
use super::passphrase::warn_of_keys;
use super::{concern, show};
use crate::cli::args::staff::StaffArg;
use crate::cli::args::vendor::VendorArg;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: OutFile,
    /// A new request from that server.
    request: PathBuf,
    /// The code that the operator read out; any other request is refused.
    #[arg(long, value_name = "C")]
    code: Option<String>,
    /// Do not ask for confirmation, even if the clock here is probably wrong.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    staff: StaffArg,
}

const NAME: &str = "time.olr";
/// Seconds by which a clock may be behind: licenses tolerate 48 hours. A server whose clock is
/// further behind needs its clock set.
const OFF: u64 = 48 * 3600;

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let request = read_artefact(Some(Kind::Request), &args.request)?;
    let trust = folder.trust()?;
    warn_of_keys(&folder, context);
    let mut ask = args.staff.asker();
    let opened = folder.open_request(&request, args.code.as_deref(), &trust, &mut ask)?;
    let body = opened.body();
    args.output.ensure_free(NAME, Kind::Timestamp, |bytes| {
        Timestamp::verify(bytes, &trust).is_ok_and(|old| old.body().install_key == body.install_key)
    })?;
    let concerns: Vec<_> = folder.foresee_time(context.now)?.into_iter().collect();
    if !args.yes {
        concern::confirm(&concerns)?;
    }
    let timestamp = folder.time(&opened, context.now, &trust, &mut ask)?;
    let (server, vendor) = (body.clock, timestamp.body().time);
    let drift = drift(server, vendor);
    let (file, id) = (args.output.name(NAME), show::install_id(&body.install_key));
    let mut text = show::pairs(&[
        ("code", opened.code().to_string()),
        ("licensee", body.licensee.to_string()),
        ("install id", id.clone()),
        ("request", format!("{} (number {})", body.request, body.number)),
        ("server clock", server.to_string()),
        ("vendor clock", vendor.to_string()),
    ]);
    text += &format!(
        "\n\nThe server's clock {drift}, including the time that the request took to \
         arrive.\nSigned and verified. Wrote the time to {file} for {}: import it on that server.",
        shown(&body.licensee)
    );
    let json = json!({
        "code": opened.code(), "request": body.request.to_string(), "number": body.number,
        "install_id": id, "server_clock": server.to_string(), "time": vendor.to_string(),
        "server_ahead_seconds": ahead(server, vendor), "file": file,
        "concerns": concern::to_json(&concerns),
    });
    let mut report = Output::new(text, json);
    report.notes.extend(concerns.iter().map(concern::line));
    if vendor.seconds.saturating_sub(server.seconds) > OFF {
        report.notes.push(
            "unless the request took that long to arrive, the server's clock is too far behind: \
             set it before you import this time there"
                .to_string(),
        );
    }
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    args.output.write(NAME, Kind::Timestamp, timestamp.bytes(), &mut report)?;
    Ok(report)
}

/// Returns how many seconds the server is ahead; negative if it is behind.
fn ahead(server: Instant, vendor: Instant) -> i128 {
    i128::from(server.seconds).saturating_sub(vendor.seconds.into())
}

/// Describes the server's clock relative to the vendor's, in the largest unit that fits twice.
fn drift(server: Instant, vendor: Instant) -> String {
    let ahead = ahead(server, vendor);
    let seconds = u64::try_from(ahead.unsigned_abs()).unwrap_or(u64::MAX);
    let (count, unit) = match seconds {
        0..120 => return "agrees with the vendor's within 2 minutes".to_string(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3600, "hours"),
        _ => (seconds / DAY, "days"),
    };
    format!("is {count} {unit} {} the vendor's", if ahead < 0 { "behind" } else { "ahead of" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_said_in_words() {
        for (server, vendor, said) in [
            (1_000, 1_000, "agrees with the vendor's within 2 minutes"),
            (1_119, 1_000, "agrees with the vendor's within 2 minutes"),
            (1_120, 1_000, "is 2 minutes ahead of the vendor's"),
            (0, 259_200, "is 3 days behind the vendor's"),
            (0, 172_799, "is 47 hours behind the vendor's"),
            (u64::MAX, 0, "is 213503982334601 days ahead of the vendor's"),
        ] {
            assert_eq!(drift(Instant::new(server), Instant::new(vendor)), said);
        }
    }
}
