//! `olr key rotate`: replaces a key with a new one.

use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

use crate::file;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::Role;
use olr_core::key::key_id;
use olr_core::proposal::Proposal;
use olr_core::trust::{DelegationBody, Trust};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::KeyId;
use olr_office::folder::{Changes, Drawn, Folder, propose_delegation, propose_next};

use super::propose::{ids, public_keys};
use super::save::{Protection, unprotected};
use crate::cli::args::vendor::VendorArg;
use crate::cli::context::Context;
use crate::cli::files::OutFile;
use crate::cli::output::{Output, put};
use crate::cli::proposal::roots::RootArgs;
use crate::cli::proposal::{PROPOSAL, conclude, free_name};

#[derive(Subcommand)]
#[command(defer = true)]
pub enum Rotate {
    /// Create a new issuer key with the limits of the current one.
    Issuer(Args),
    /// Create a new sealing key; the old one still opens earlier requests.
    Sealing(Args),
    /// Replace a root with a new one.
    Root(RootRotation),
}

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    vendor: VendorArg,
    #[command(flatten)]
    output: OutFile,
    /// Use this public key, created elsewhere, instead of a new key in keys/.
    #[arg(long, value_name = "PUB")]
    public: Option<PathBuf>,
    #[command(flatten)]
    protection: Protection,
    #[command(flatten)]
    roots: RootArgs,
}

#[derive(clap::Args)]
pub struct RootRotation {
    #[command(flatten)]
    args: Args,
    /// The key id of the root to remove [default: the only root].
    #[arg(long, value_name = "ID")]
    remove: Option<String>,
}

pub fn run(verb: &Rotate, context: &mut Context) -> Result<Output> {
    match verb {
        Rotate::Issuer(args) => {
            let (folder, trust) = at_hand(args)?;
            let now = context.now;
            let present = folder.present_issuer(now, &trust)?;
            let former = key_id(Role::Issuer, &present.issuer);
            let is_revoked = trust.body().revoked.get(&former).is_some();
            let mut report = rotate(args, Role::Issuer, context, &folder, &trust, |key, _| {
                let body = DelegationBody { issuer: key, ..present.clone() };
                propose_delegation(&body, &trust, now)
            })?;
            if !is_revoked {
                report.notes.push(format!(
                    "everything that the former issuer key signed stays valid; only if somebody \
                     else may have that key, revoke it, which makes all of this invalid (`olr \
                     revoke {former}`)"
                ));
            }
            Ok(report)
        }
        Rotate::Sealing(args) => {
            let (folder, trust) = at_hand(args)?;
            let given = given(args, Role::Sealing)?;
            if let Some(key) = given.filter(|key| trust.body().sealing.first() == Some(key)) {
                return Ok(rotated_before(Role::Sealing, &key, &folder, &trust));
            }
            let there = bytes_of(&folder)?;
            rotate(args, Role::Sealing, context, &folder, &trust, |key, context| {
                let changes = Changes { add_sealing: vec![key], ..Changes::default() };
                propose_next(&trust, &changes, &there, &mut context.rng)
            })
        }
        Rotate::Root(rotation) => {
            let args = &rotation.args;
            let (folder, trust) = at_hand(args)?;
            if let Some(done) = root_rotated_before(rotation, &folder, &trust)? {
                return Ok(done);
            }
            let there = bytes_of(&folder)?;
            let remove = vec![leaving(&trust, rotation.remove.as_ref())?];
            rotate(args, Role::Root, context, &folder, &trust, |key, context| {
                let changes = Changes {
                    add_roots: vec![key],
                    remove_roots: remove.clone(),
                    ..Changes::default()
                };
                propose_next(&trust, &changes, &there, &mut context.rng)
            })
        }
    }
}

fn at_hand(args: &Args) -> Result<(Folder, Trust)> {
    let folder = args.vendor.folder()?;
    let trust = folder.trust()?;
    Ok((folder, trust))
}

fn bytes_of(folder: &Folder) -> Result<Vec<Vec<u8>>> {
    Ok(folder.delegations()?.into_iter().map(|(_, bytes)| bytes).collect())
}

fn leaving(trust: &Trust, named: Option<&String>) -> Result<KeyId> {
    if let Some(named) = named {
        return ids(std::slice::from_ref(named))
            .map(|ids| ids.first().copied().unwrap_or(KeyId([0; 16])));
    }
    let roots = olr_core::trust::root_keys(trust.body());
    match roots.as_slice() {
        [(only, _)] => Ok(*only),
        _ => {
            let there: Vec<_> = roots.iter().map(|(id, _)| id.to_string()).collect();
            let fact = format!("this trust has {} roots", roots.len());
            Err(Error::unable(
                Problem::Usage,
                fact,
                format!("name the root to remove with --remove: {}", there.join(", ")),
            ))
        }
    }
}

/// Reads the public key that `--public` names, if any: its private half was created elsewhere.
fn given(args: &Args, role: Role) -> Result<Option<[u8; 32]>> {
    let Some(path) = &args.public else { return Ok(None) };
    let keys = public_keys(role, std::slice::from_ref(path))?;
    let key = keys.first().copied();
    key.map(Some)
        .ok_or_else(|| Error::unable(Problem::Usage, "no key was named", "name its .pub file"))
}

/// Returns the output if the new key is already in effect: an earlier run of the command may have
/// been interrupted.
fn rotated_before(role: Role, key: &[u8; 32], folder: &Folder, trust: &Trust) -> Output {
    let id = key_id(role, key);
    let version = trust.body().version;
    let text = format!("The {role} key {id} is already in effect: trust {version} contains it.");
    report_of(text, id, folder, trust)
}

fn report_of(text: String, id: KeyId, folder: &Folder, trust: &Trust) -> Output {
    let published = json!({
        "trust": trust.body().version, "new": false, "vendor_code": trust.vendor_code(),
    });
    let json = json!({"already": true, "key_id": id.to_string(), "published": published});
    let mut report = Output::new(text, json);
    report.notes.push(format!("vendor: {}", file::name(folder.path())));
    report
}

/// Returns the output if the root was already rotated: the new root, if one is named, is in the
/// trust, and the old one is gone.
fn root_rotated_before(
    rotation: &RootRotation,
    folder: &Folder,
    trust: &Trust,
) -> Result<Option<Output>> {
    let given = given(&rotation.args, Role::Root)?;
    let remove = rotation.remove.as_ref().map(|named| ids(std::slice::from_ref(named)));
    let remove = remove.transpose()?.and_then(|ids| ids.first().copied());
    let roots = olr_core::trust::root_keys(trust.body());
    let is_root = |id: KeyId| roots.iter().any(|(root, _)| *root == id);
    let has_gone = |id: KeyId| -> Result<bool> { Ok(!is_root(id) && folder.was_root(id, trust)?) };
    Ok(match (given, remove) {
        (Some(key), _) if !is_root(key_id(Role::Root, &key)) => None,
        (Some(key), Some(gone)) if has_gone(gone)? => {
            Some(rotated_before(Role::Root, &key, folder, trust))
        }
        (Some(key), None) if roots.len() == 1 => {
            Some(rotated_before(Role::Root, &key, folder, trust))
        }
        (None, Some(gone)) if has_gone(gone)? => {
            let version = trust.body().version;
            let text = format!(
                "Root key {gone} was already removed: trust {version} does not contain it. To \
                 replace another root, name it with --remove."
            );
            Some(report_of(text, gone, folder, trust))
        }
        _ => None,
    })
}

/// Proposes a trust or delegation with the new key, signs it with the available roots, and puts it
/// into effect if they suffice.
fn rotate(
    args: &Args,
    role: Role,
    context: &mut Context,
    folder: &Folder,
    trust: &Trust,
    propose: impl Fn([u8; 32], &mut Context) -> Result<Proposal>,
) -> Result<Output> {
    if args.output.is_named() {
        args.output.ensure_free(PROPOSAL, Kind::Proposal, |_| false)?;
    }
    let (public, drawn) = match given(args, role)? {
        Some(key) => (key, None),
        None => {
            let passphrase = args.protection.choose(role, context)?;
            let drawn = folder.draw_key(role, passphrase.as_ref(), &mut context.rng)?;
            (drawn.public, Some(drawn))
        }
    };
    let proposal = propose(public, context)?;
    free_name(&proposal, &args.output)?;
    let mut signed = args.roots.sign(proposal, Some(folder), trust)?;
    if let Some(drawn) = &drawn {
        if role == Role::Root {
            signed = drawn.sign(&signed, trust)?;
        }
        // The key is written only after confirmation, since an unused key would be one more secret
        // to protect. It is written before any file names it.
        drawn.write(folder, trust)?;
    }
    let mut report = conclude(&signed, Some(folder), trust, &args.output, context.now)?;
    let id = key_id(role, &public);
    if let Some(Drawn { path, .. }) = &drawn {
        if args.protection.is_none() {
            report.notes.push(unprotected(role));
        }
        report.notes.push(format!("new {role} key {id}: {}", file::name(path)));
        put(&mut report.json, "key", json!(file::name(path)));
    }
    put(&mut report.json, "key_id", json!(id.to_string()));
    // A root that was created elsewhere is not here to be moved.
    let advice = advice(role).filter(|_| role != Role::Root || drawn.is_some());
    report.notes.extend(advice.map(str::to_string));
    Ok(report)
}

fn advice(role: Role) -> Option<&'static str> {
    match role {
        Role::Sealing => Some(
            "keep the former sealing key: servers that do not have this trust yet still seal \
             requests to it",
        ),
        Role::Root => Some("move the new root key to the place where its custodian keeps it"),
        Role::Issuer | Role::Install => None,
    }
}
