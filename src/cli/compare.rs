//! `olr vendor compare`: says whether two requests come from one server, from copies of it, or from
//! separate installations.

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
    /// The first request.
    first: PathBuf,
    /// The second request.
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
        Relation::Continuing => "one server: the later request follows the earlier one",
        Relation::Snapshot => "a fork on the same hardware: a snapshot was probably restored",
        Relation::Clone => "a fork on different hardware: probably a clone",
        Relation::Fork => "a fork: either a snapshot was restored, or the disk was cloned",
        Relation::Unrelated if compared.hardware == Hardware::Same => {
            "two installations on the same hardware: perhaps set up again"
        }
        Relation::Unrelated => "two installations",
        Relation::CannotTell => "one installation; the requests are too far apart to tell more",
    }
}

/// Returns what support staff normally do next.
fn next(compared: &RequestComparison) -> &'static str {
    match compared.verdict {
        Relation::Same => {
            "Answer it once. With the same grant you get the same license again, unless you add \
             --again."
        }
        Relation::Continuing => "There is no problem. Answer the later request.",
        Relation::Snapshot => {
            "Ask when the machine or its home was restored. Then answer a new request that was \
             made after that. A copy that presents the same hardware values looks the same: if \
             this happens again, ask for the reason again."
        }
        Relation::Clone => {
            "Ask which machine is the original. On the other one, have the operator run `olr \
             request --new-identity`, with --trust, --licensee and --key as in a first request, \
             and license it as a separate machine."
        }
        Relation::Fork => {
            "Ask whether a snapshot was restored, or whether two machines run from copies of one \
             disk. Ask for a new request from each machine, made as root with --privileged and \
             with a pin of its own (--pin)."
        }
        Relation::Unrelated if compared.hardware == Hardware::Same => {
            "Ask whether the home was lost or set aside with --new-identity, or whether one \
             machine has two homes. If the license key moves, issue with --transfer REASON."
        }
        Relation::Unrelated if compared.shared.is_empty() => {
            "Answer each request according to its own sale."
        }
        Relation::Unrelated => {
            "They share values that a disk image carries, or a pin: ask whether one was installed \
             from an image of the other. Answer each request according to its own sale."
        }
        Relation::CannotTell => {
            "ask the server that made the earlier request for a new one, and compare that with \
             the later request"
        }
    }
}

fn because(proof: &Proof) -> String {
    match proof {
        Proof::SameBytes => "both requests have the same number and hash".to_string(),
        Proof::OtherInstallKey => "the install keys differ".to_string(),
        Proof::Named => "the later request lists the earlier one by number and code".to_string(),
        Proof::TwoRequests { number, earlier, later } => format!(
            "both histories contain a request number {number}, but with different codes: {} and {}",
            code(earlier),
            code(later)
        ),
        Proof::NoRequest { number } => {
            format!("in the history of the later request, number {number} was not a request")
        }
        Proof::OutOfReach { from } => {
            format!("the later request lists no request before number {from}")
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
        Hardware::Unknown => "the requests have no kind of hardware value in common",
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
        [] => "none".to_string(),
        factors => factors.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn factors_json(factors: &[Factor]) -> Vec<FactorReport> {
    factors.iter().map(FactorReport::from).collect()
}
