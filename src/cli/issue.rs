//! `olr issue`: answer a request.

use serde_json::{Value, json};
use std::path::PathBuf;

use olr::display::shown;
use olr::error::{Error, Result};
use olr::file;
use olr::issue::GrantFile;
use olr::license::License;
use olr::vendor::{Issue, IssuedLicense, read_text};
use olr::wire::frame::Kind;

use super::context::Context;
use super::files::{Output, read_artefact};
use super::output::Report;
use super::show;
use super::vendor::{VendorArg, passphrase};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: Output,
    /// The request that the server sealed.
    request: PathBuf,
    /// What is granted.
    #[arg(long, value_name = "FILE")]
    grant: PathBuf,
    /// The code that the server's operator read out; another request is refused.
    #[arg(long, value_name = "C")]
    code: Option<String>,
    /// Show the request and check it, and sign nothing.
    #[arg(long)]
    dry_run: bool,
    /// Answer a request once more that was answered before.
    #[arg(long)]
    again: bool,
    /// The file with the staff's passphrase.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

const NAME: &str = "license.olr";

pub fn run(args: &Args, context: &mut Context) -> Result<Report> {
    let folder = args.vendor.folder()?;
    let request = read_artefact(Some(Kind::Request), &args.request).map_err(|error| {
        match read_artefact(Some(Kind::Request), &args.grant) {
            Ok(_) => error.hint("the request comes first: olr issue REQUEST --grant GRANT"),
            Err(_) => error,
        }
    })?;
    let text = read_text(&args.grant)?;
    let in_grant = |error: Error| error.within(file::name(&args.grant));
    let grant = GrantFile::parse(&text).map_err(in_grant)?;
    let trust = folder.trust()?;
    let mut entered = None;
    let mut ask = |key: &_| passphrase_once(key, args, &mut entered);
    let opened = folder.open_request(&request, args.code.as_deref(), &trust, &mut ask)?;
    if !args.dry_run {
        let install_key = opened.body().install_key;
        args.output.expect_free(NAME, Kind::License, |bytes| {
            License::verify(bytes, &trust).is_ok_and(|old| old.body().install_key == install_key)
        })?;
    }
    let order = Issue {
        request: &request,
        grant: &grant,
        again: args.again,
        only_try: args.dry_run,
        now: context.now,
    };
    let issued = folder.issue(&opened, &order, &trust, &mut ask, &mut context.rng);
    // Where grant and catalog do not fit, the library knows the line but not the file.
    let issued = issued.map_err(|error| match error.fact().starts_with("grant") {
        true => error.within(file::name(&args.grant)),
        false => error,
    })?;
    let body = opened.body();
    let mut text = format!(
        "{}\n\n{}\n",
        show::pairs(&with_code(show::request_pairs(body), opened.code())),
        show::request_factors(body)
    );
    let mut json = json!({"code": opened.code(), "request": show::request_json(body), "dry_run": args.dry_run, "stored": issued.stored});
    if let Value::Object(json) = &mut json {
        json.extend(show::changes_json(body));
    }
    let mut report = Report::new("", Value::Null);
    match &issued.license {
        Some(license) if !args.dry_run => {
            args.output.write(NAME, Kind::License, license.bytes(), &mut report)?;
            let file = args.output.name(NAME);
            text += &granted(license, &issued, &file, args.output.path(NAME).is_none());
            json["license"] = Value::Object(show::license_json(license.body()));
            json["file"] = json!(file);
        }
        _ => text += "\nThe request fits the grant. Nothing was signed or written.",
    }
    if !issued.stops_a_copy {
        report.notes.push(
            "this license does not stop a copy of that machine: no hardware factor has to match"
                .to_string(),
        );
    }
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    (report.text, report.json) = (text, json);
    Ok(report)
}

fn with_code(mut pairs: Vec<(&'static str, String)>, code: &str) -> Vec<(&'static str, String)> {
    pairs.insert(0, ("code", code.to_string()));
    pairs
}

fn granted(license: &License, issued: &IssuedLicense, file: &str, stdout: bool) -> String {
    let body = license.body();
    let how = if issued.stored {
        "Wrote the stored answer again"
    } else {
        "Signed, verified and kept. Wrote"
    };
    let to = if issued.stored || stdout { " to" } else { "" };
    format!(
        "\n{}\n\n{}\n\n{how}{to} {file} for {}.",
        show::pairs(&show::license_pairs(body)),
        show::modules(body),
        shown(&body.licensee)
    )
}

/// Both staff keys have the same passphrase: it is asked for once.
fn passphrase_once(
    key: &olr::key::file::KeyFile,
    args: &Args,
    entered: &mut Option<zeroize::Zeroizing<Vec<u8>>>,
) -> Result<olr::crypto::secret::Passphrase> {
    use olr::crypto::secret::Passphrase;
    if let Some(bytes) = entered {
        let text = String::from_utf8_lossy(bytes).into_owned();
        return Ok(Passphrase::new(text.into()));
    }
    let passphrase = passphrase(key, args.passphrase_file.as_deref())?;
    *entered = Some(passphrase.expose().to_vec().into());
    Ok(passphrase)
}
