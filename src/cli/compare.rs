//! `olr vendor compare`: says whether two requests come from one server, or its home was copied.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::file;
use olr_core::display::code;
use olr_core::error::{Error, Problem, Result};
use olr_core::machine::{Class, Factor};
use olr_core::report::{EarlierReport, FactorReport};
use olr_core::request::OpenedRequest;
use olr_core::wire::frame::Kind;
use olr_office::folder::{Hardware, Proof, Relation, RequestComparison, compare};

use super::context::Context;
use super::files::read_artefact;
use super::output::Output;
use super::passphrase::warn_of_keys;
use super::show;
use crate::cli::args::staff::StaffArg;
use crate::cli::args::vendor::VendorArg;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    staff: StaffArg,
    /// One request.
    first: PathBuf,
    /// Another one.
    second: PathBuf,
}

pub fn run(args: &Args, context: &mut Context) -> Result<Output> {
    let folder = args.vendor.folder()?;
    let trust = folder.trust()?;
    warn_of_keys(&folder, context);
    let mut ask = args.staff.asker();
    let mut open = |path: &Path| {
        let bytes = read_artefact(Some(Kind::Request), path)?;
        let opened = folder.open_request(&bytes, None, &trust, &mut ask);
        opened.map_err(|error| error.within(file::name(path)))
    };
    let (first, second) = (open(&args.first)?, open(&args.second)?);
    let compared = compare((&first).into(), (&second).into());
    let (said, next) = (said(&compared), next(&compared));
    let because = because(&compared.proof);
    let mut pairs = vec![
        ("first", request_line(&first)),
        ("second", request_line(&second)),
        ("verdict", said.to_string()),
        ("because", because.clone()),
        ("hardware", hardware(compared.hardware).to_string()),
    ];
    for (name, factors) in [
        ("same", &compared.shared),
        ("only in first", &compared.only_first),
        ("only in second", &compared.only_second),
    ] {
        pairs.push((name, factor_list(factors)));
    }
    let text = format!("{}\n\n{next}", show::pairs(&pairs));
    let json = json!({
        "verdict": compared.verdict.word(), "fork": compared.verdict.is_fork(),
        "because": because, "proof": proof_json(&compared.proof),
        "hardware": compared.hardware.word(),
        "first": request_json(&first), "second": request_json(&second),
        "factors": {
            "same": factors_json(&compared.shared),
            "only_first": factors_json(&compared.only_first),
            "only_second": factors_json(&compared.only_second),
        },
        "next": next,
    });
    let mut report = Output::new(text, json);
    if compared.verdict == Relation::CannotTell {
        report = report.refused(&Error::unable(Problem::Usage, because, next));
    }
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    Ok(report)
}

fn said(compared: &RequestComparison) -> &'static str {
    match compared.verdict {
        Relation::Same => "the same request twice",
        Relation::Continuing => "one server that goes on",
        Relation::Snapshot => "a fork on the same hardware: a snapshot was restored",
        Relation::Clone => "a fork on other hardware: a clone",
        Relation::Fork => "a fork; it cannot be told whether a snapshot or a clone",
        Relation::Unrelated if compared.hardware == Hardware::Same => {
            "two installations on the same hardware: perhaps begun anew"
        }
        Relation::Unrelated => "two installations",
        Relation::CannotTell => "one installation; for more, they lie too far apart",
    }
}

/// Returns what support staff normally do next.
fn next(compared: &RequestComparison) -> &'static str {
    match compared.verdict {
        Relation::Same => {
            "Answer it once; the same grant gives the same license again, unless --again is added."
        }
        Relation::Continuing => "Nothing is wrong. Answer the later one.",
        Relation::Snapshot => {
            "Ask when the machine was restored, or whether the home was put back from a backup. Answer \
             a new request, made after it; a copy that presents the same hardware values looks the \
             same, so ask again if it happens again."
        }
        Relation::Clone => {
            "Ask which machine is the real one. Have the other one begin with `olr request \
             --new-identity`, and license it as a machine of its own."
        }
        Relation::Fork => {
            "Ask whether a snapshot was restored, or whether two machines run from one disk. Ask both \
             for a new request, made by root, and with a pin of its own."
        }
        Relation::Unrelated if compared.hardware == Hardware::Same => {
            "Ask whether the home was lost, or set aside with --new-identity, or whether this is a \
             second home on one machine. If the license key moves, issue with --transfer REASON."
        }
        Relation::Unrelated if compared.shared.is_empty() => "Answer each by what was sold for it.",
        Relation::Unrelated => {
            "They share what a disk carries along, or a pin: ask whether one was installed from an \
             image of the other. Answer each by what was sold for it."
        }
        Relation::CannotTell => {
            "ask the server of the earlier one for a new request, and compare that one with the later"
        }
    }
}

fn because(proof: &Proof) -> String {
    match proof {
        Proof::SameBytes => "number and hash are the same".to_string(),
        Proof::OtherInstallKey => "the install keys differ".to_string(),
        Proof::Named => "the later one names the earlier one by number and code".to_string(),
        Proof::TwoRequests { number, earlier, later } => format!(
            "both histories have a request of number {number}: {} and {}",
            code(earlier),
            code(later)
        ),
        Proof::NoRequest { number } => {
            format!("in the history of the later one, number {number} was no request")
        }
        Proof::OutOfReach { from } => {
            format!("the later one names no request before number {from}")
        }
    }
}

fn proof_json(proof: &Proof) -> Value {
    match proof {
        Proof::SameBytes => json!({"kind": "same-bytes"}),
        Proof::OtherInstallKey => json!({"kind": "other-install-key"}),
        Proof::Named => json!({"kind": "named"}),
        Proof::TwoRequests { number, earlier, later } => json!({
            "kind": "two-requests", "number": number, "earlier": code(earlier), "later": code(later),
        }),
        Proof::NoRequest { number } => json!({"kind": "no-request", "number": number}),
        Proof::OutOfReach { from } => json!({"kind": "out-of-reach", "from": from}),
    }
}

fn hardware(hardware: Hardware) -> &'static str {
    match hardware {
        Hardware::Same => "at least one value is the same",
        Hardware::Other => "no value is the same",
        Hardware::Unknown => "at least one of them shows too little to compare",
    }
}

fn request_line(opened: &OpenedRequest) -> String {
    let body = opened.body();
    let id = show::install_id(&body.install_key);
    format!("{}, number {} of {id}, made {}", opened.code(), body.number, body.clock)
}

fn request_json(opened: &OpenedRequest) -> Value {
    let body = opened.body();
    let earlier = body.earlier.iter().map(EarlierReport::from);
    json!({
        "code": opened.code(), "number": body.number, "clock": body.clock.to_string(),
        "install_id": show::install_id(&body.install_key), "product": &*body.product,
        "slot": &*body.slot, "earlier": earlier.collect::<Vec<_>>(),
    })
}

fn factor_list(factors: &[Factor]) -> String {
    let one = |factor: &Factor| {
        let class = if factor.class == Class::Hardware { " (hardware)" } else { "" };
        format!("{} {}{class}", factor.kind, &*factor.value)
    };
    match factors {
        [] => "nothing".to_string(),
        factors => factors.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn factors_json(factors: &[Factor]) -> Vec<FactorReport> {
    factors.iter().map(FactorReport::from).collect()
}
