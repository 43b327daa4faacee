//! Edits to valid artefacts. Most are made before signing, so that a refusal is due to the content.
//! An artefact that was edited after signing must never be accepted.

use super::artefacts::looked_at;
use super::second_decoder::second_decoder;
use super::value::{Piece, Source, Value, joined, spelling, wide};
use super::{SNAKEOIL, body, frame};
use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::{REQUEST, REQUEST_SEAL, STATE, pae};
use olr_core::crypto::seal::seal;
use olr_core::crypto::secret::Secret;
use olr_core::crypto::sign::{SigningKey, message};
use olr_core::judge::decide;
use olr_core::key::install::InstallSecret;
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody};
use olr_core::machine::Here;
use olr_core::request::{RequestBody, SealedRequest, seal_request};
use olr_core::state::{Memory, STATE_CAP, State};
use olr_core::time::Instant;
use olr_core::trust::{Act, DelegationBody, Trust, TrustBody, vendor_id};
use olr_core::wire::codec::{BODY_CAP, Blob, List, Set, encode};
use olr_core::wire::frame::{Frame, Header, Kind};
use olr_core::wire::id::VendorId;
use rand::SeedableRng;
use rand::rngs::ChaCha20Rng;

/// Number of edits in a program. An edit whose `act` is 0 does nothing.
const EDITS: usize = 4;
/// Values at the limits of caps, varints and types.
const EDGES: [u64; 20] = [
    0,
    1,
    2,
    8,
    9,
    16,
    17,
    64,
    65,
    250,
    251,
    256,
    257,
    2048,
    2049,
    4096,
    4097,
    65_535,
    65_536,
    u64::MAX,
];

/// One edit: operation, position and amount.
struct Edit {
    act: u8,
    at: usize,
    by: u8,
}

/// Edits to each part of an artefact.
struct Program {
    body: Vec<Edit>,
    attachments: Vec<Edit>,
    /// Edits after signing.
    file: Vec<Edit>,
}

/// Input: one byte chooses the artefact; then come the edits, four bytes each; the rest is read as
/// the value of the body.
pub fn edits(bytes: &[u8]) {
    let mut from = Source(bytes);
    let which = from.byte();
    let program = Program::read(&mut from);
    match which % 5 {
        0 => license(&program, which >= 128, &mut from),
        1 => request(&program, &mut from),
        2 => trust(&program, which >= 128, &mut from),
        3 => delegation(&program, &mut from),
        _ => state(&program, &mut from),
    }
}

impl Program {
    fn read(from: &mut Source<'_>) -> Self {
        let mut program = Self { body: Vec::new(), attachments: Vec::new(), file: Vec::new() };
        for _ in 0..EDITS {
            let [act, low, high, by] = [(); 4].map(|()| from.byte());
            let edit = Edit { act: act % 64, at: u16::from_le_bytes([low, high]).into(), by };
            if edit.act == 0 {
                continue;
            }
            match act / 64 {
                0 | 1 => program.body.push(edit),
                2 => program.attachments.push(edit),
                _ => program.file.push(edit),
            }
        }
        program
    }
}

/// Applies `edits` to `pieces`, and returns their bytes.
fn edited(mut pieces: Vec<Piece>, edits: &[Edit]) -> Vec<u8> {
    for Edit { act, at, by } in edits {
        if pieces.is_empty() {
            break;
        }
        let (at, inside) = (at % pieces.len(), at / 256);
        // A run of pieces and the run after it, to swap: entries of a set have several pieces each.
        let run = (1 + usize::from(*by) % 16).min(pieces.len() - at);
        let next = run.min(pieces.len() - at - run);
        let piece = &mut pieces[at];
        match (act % 10, piece.number) {
            (0, Some(_)) => *piece = Piece::varint(EDGES[usize::from(*by) % EDGES.len()]),
            (1, Some(number)) => *piece = Piece::varint(number.wrapping_add(1)),
            (2, Some(number)) => *piece = Piece::varint(number.wrapping_sub(1)),
            (3, Some(number)) => piece.bytes = wide(0xfb + by % 3, number),
            (4, _) => pieces[at..at + run + next].rotate_left(run),
            (5, _) => drop(pieces.splice(at..at, pieces[at..at + run].to_vec())),
            (6, _) => pieces.drain(at..at + run).for_each(drop),
            (7, _) => pieces.truncate(at),
            (8, _) => pieces.insert(at + 1, Piece::raw([*by])),
            _ => {
                let len = piece.bytes.len().max(1);
                if let Some(byte) = piece.bytes.get_mut(inside % len) {
                    *byte ^= by;
                }
            }
        }
    }
    joined(&pieces)
}

/// Edits a license. Its delegation is that of `keys/snakeoil`, or if `limited`, one whose limits
/// are read after the license.
fn license(program: &Program, limited: bool, from: &mut Source<'_>) {
    let wanted = edited(spelling(&LicenseBody::read(from)), &program.body);
    body::<LicenseBody>(&wanted, BODY_CAP);
    second_decoder(&wanted);
    let mut delegation = SNAKEOIL.delegation.clone();
    if limited {
        let mut limits = DelegationBody::read(from);
        limits.issuer = SNAKEOIL.issuer.public();
        let vendor = SNAKEOIL.trust.vendor();
        delegation = super::signed(Kind::Delegation, vendor, &encode(&limits)).unwrap();
    }
    let issuer = (Role::Issuer, &SNAKEOIL.issuer);
    let frame_of = (Kind::License, SNAKEOIL.trust.vendor(), Some(&*delegation));
    let (signed, file) = sign(program, frame_of, &wanted, issuer);
    frame(&file);
    if let Ok(license) = License::verify(&file, &SNAKEOIL.trust) {
        assert_eq!(file, signed, "unsigned, but accepted");
        assert_eq!(encode(license.body()), wanted);
        let attached = Frame::parse(Kind::License, &file).unwrap().attachments;
        let mut delegations = attached.iter().filter(|frame| frame.kind == Kind::Delegation);
        assert!(delegations.all(|frame| frame.bytes == delegation), "an unsigned delegation");
        looked_at(&license);
    }
}

fn trust(program: &Program, follows: bool, from: &mut Source<'_>) {
    let mut value = TrustBody::read(from);
    let root = SNAKEOIL.root.public();
    let others = value.roots.iter().filter(|key| **key != root).take(7).copied();
    value.roots = Set::new(others.chain([root]).collect()).unwrap();
    value.threshold = 1;
    value.version = if follows { value.version.max(2) } else { 1 };
    let wanted = edited(spelling(&value), &program.body);
    body::<TrustBody>(&wanted, BODY_CAP);
    second_decoder(&wanted);
    let vendor = if follows { SNAKEOIL.trust.vendor() } else { vendor_id(&wanted) };
    let root = (Role::Root, &SNAKEOIL.root);
    let (signed, file) = sign(program, (Kind::Trust, vendor, None), &wanted, root);
    let trust = if follows { SNAKEOIL.trust.successor(&file) } else { Trust::pin(&file) };
    if let Ok(trust) = trust {
        // At first contact with a later trust, signatures of roots that it does not list are
        // ignored.
        assert!(file == signed || (!follows && trust.body().version > 1), "unsigned, but accepted");
        assert_eq!(encode(trust.body()), wanted);
        let _ = (trust.vendor_code(), trust.sealing_key(), trust.product(None).unwrap());
    }
}

fn delegation(program: &Program, from: &mut Source<'_>) {
    let wanted = edited(spelling(&DelegationBody::read(from)), &program.body);
    body::<DelegationBody>(&wanted, BODY_CAP);
    second_decoder(&wanted);
    let frame_of = (Kind::Delegation, SNAKEOIL.trust.vendor(), None);
    let (signed, file) = sign(program, frame_of, &wanted, (Role::Root, &SNAKEOIL.root));
    let Ok(frame) = Frame::parse(Kind::Delegation, &file) else { return };
    if let Ok(delegation) = SNAKEOIL.trust.delegation(&frame) {
        assert_eq!(file, signed, "unsigned, but accepted");
        assert_eq!(encode(delegation.body()), wanted);
        let _ = (delegation.check_key(), delegation.permits(Act::License, Instant::new(0)));
    }
}

/// Edits the attachments of a frame with this body, and signs it. Returns the signed frame, and the
/// same frame after the edits that follow signing.
fn sign(
    program: &Program,
    (kind, vendor, attached): (Kind, VendorId, Option<&[u8]>),
    body: &[u8],
    (role, signer): (Role, &SigningKey),
) -> (Vec<u8>, Vec<u8>) {
    let mut section = vec![Piece::raw([u8::from(attached.is_some())])];
    section.extend(attached.map(|attached| sized(attached.len())));
    section.extend(attached.map(Piece::raw));
    let section = edited(section, &program.attachments);
    let signature = signer.sign(&message(kind, vendor, &section, body)).unwrap();
    let mut file = header(kind);
    file.extend([Piece::raw(vendor.0), Piece::raw(section)]);
    file.extend([sized(body.len()), Piece::raw(body), Piece::raw([1])]);
    file.extend([Piece::raw(key_id(role, &signer.public()).0), Piece::raw(signature)]);
    (joined(&file), edited(file, &program.file))
}

fn header(kind: Kind) -> Vec<Piece> {
    let mut header = Vec::new();
    Header::write(kind, &mut header);
    header.iter().map(|byte| Piece::raw([*byte])).collect()
}

fn sized(len: usize) -> Piece {
    Piece::raw(u32::try_from(len).unwrap().to_le_bytes())
}

/// Edits a request. The edits to attachments are applied to the plaintext instead.
fn request(program: &Program, from: &mut Source<'_>) {
    let secret = InstallSecret::from_secret(Secret::new(&[9; 32]));
    let install = secret.signing_key();
    let mut value = RequestBody::read(from);
    value.install_key = install.public();
    if program.body.is_empty() {
        sealed(&value, &secret);
    }
    let wanted = edited(spelling(&value), &program.body);
    body::<RequestBody>(&wanted, BODY_CAP);
    second_decoder(&wanted);
    let padding = vec![0; 1024 - (wanted.len() + 4) % 1024];
    let plaintext = vec![sized(wanted.len()), Piece::raw(&*wanted), Piece::raw(padding)];
    let mut plaintext = edited(plaintext, &program.attachments);
    plaintext.resize(plaintext.len().next_multiple_of(1024).max(1024), 0);

    let public = SNAKEOIL.sealing.public();
    let mut file = header(Kind::Request);
    file.push(Piece::raw(SNAKEOIL.trust.vendor().0));
    file.push(Piece::raw(key_id(Role::Sealing, &public).0));
    file.push(sized(plaintext.len() + 16));
    let head = joined(&file);
    let info = pae(&[REQUEST_SEAL, &[1], &[1], &head]);
    let sealed = seal(&public, &info, &plaintext, &mut ChaCha20Rng::from_seed([7; 32])).unwrap();
    let signed = pae(&[REQUEST, &[1], &[1], &head, &sealed.encapsulated, &sealed.ciphertext]);
    file.extend([Piece::raw(sealed.encapsulated), Piece::raw(sealed.ciphertext)]);
    file.push(Piece::raw(install.sign(&signed).unwrap()));

    let (signed, file) = (joined(&file), edited(file, &program.file));
    let Ok(request) = SealedRequest::parse(&file) else { return };
    if let Ok(opened) = request.open(&SNAKEOIL.sealing) {
        assert_eq!(file, signed, "unsigned, but accepted");
        assert_eq!(encode(opened.body()), &plaintext[4..4 + encode(opened.body()).len()]);
    }
}

/// A sealed request can be opened, unless its body breaks a rule that servers always keep.
fn sealed(value: &RequestBody, secret: &InstallSecret) {
    let rng = &mut ChaCha20Rng::from_seed([7; 32]);
    let Ok(file) = seal_request(value, &SNAKEOIL.trust, secret, rng) else { return };
    let request = SealedRequest::parse(&file).unwrap();
    match request.open(&SNAKEOIL.sealing) {
        Ok(opened) => assert_eq!((opened.body(), opened.hash()), (value, request.hash())),
        Err(error) => assert!(error.fact().starts_with("request body"), "{error}"),
    }
}

/// Edits a state. The edits to attachments are applied to everything before the digest instead.
fn state(program: &Program, from: &mut Source<'_>) {
    let mut value = Memory::read(from);
    if value.trusts.is_empty() {
        value.trusts = List::new(vec![Blob::new(SNAKEOIL.trust.bytes()).unwrap()]).unwrap();
    }
    let wanted = edited(spelling(&value), &program.body);
    body::<Memory>(&wanted, STATE_CAP);
    let mut covered = header(Kind::State);
    covered.extend([Piece::raw([5; 32]), sized(wanted.len()), Piece::raw(&*wanted)]);
    let covered = edited(covered, &program.attachments);
    let digest = tagged(&[STATE, &covered]);
    let file = vec![Piece::raw(covered), Piece::raw(digest)];
    let (fitting, file) = (joined(&file), edited(file, &program.file));
    if let Ok(state) = State::parse(&file) {
        assert_eq!(file, fitting, "a state with a wrong digest was accepted");
        assert_eq!(**state.to_bytes(), *file);
        for slot in state.memory().slots.iter() {
            let _ = decide(Instant::new(1_826_000_000), Here::default(), &state, slot);
        }
    }
}
