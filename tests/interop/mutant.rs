//! Mutants of fixtures from a seeded generator. Half of them are signed, sealed or hashed again
//! after the change, so that they reach the checks behind a signature.

use olr_core::armor::armor;
use olr_core::crypto::digest::tagged;
use olr_core::crypto::label::{REQUEST_SEAL, STATE, pae};
use olr_core::crypto::seal::seal;
use olr_core::crypto::sign::message;
use olr_core::key::{Role, key_id};
use olr_core::proposal::ProposalBody;
use olr_core::request::SealedRequest;
use olr_core::wire::codec::{BODY_CAP, Blob, decode, encode};
use olr_core::wire::frame::{Frame, Header, Kind};
use rand::RngExt;
use rand::rngs::ChaCha20Rng;
use rand::seq::IndexedRandom;

use crate::world::raw::{Raw, sized};
use crate::world::scenario::Scenario;
use crate::world::{World, install};

pub struct Mutants<'a> {
    fixtures: &'a [Scenario],
    world: World,
}

impl<'a> Mutants<'a> {
    pub fn new(fixtures: &'a [Scenario]) -> Self {
        Self { fixtures, world: World::new() }
    }

    /// A fixture, and a mutant of its artefact.
    pub fn draw(&self, rng: &mut ChaCha20Rng) -> (Scenario, Vec<u8>) {
        let scenario = self.fixtures.choose(rng).unwrap();
        let donor = &self.fixtures.choose(rng).unwrap().bytes;
        let kind = scenario.kind();
        let inside = if rng.random_bool(0.5) { self.inside(scenario, donor, rng) } else { None };
        let file = match (inside, kind) {
            (Some(file), _) => file,
            (None, Some(kind)) if kind != Kind::State && rng.random_bool(0.2) => {
                let kind = Header::peek(&scenario.bytes).unwrap_or(kind);
                edited(armor(kind, &scenario.bytes).as_bytes(), donor, rng)
            }
            _ => edited(&scenario.bytes, donor, rng),
        };
        (scenario.clone(), file)
    }

    /// The artefact of `scenario` with a changed body, and with a signature, seal or digest that
    /// fits the body. `None` if the artefact cannot be parsed, or has none of these.
    fn inside(&self, scenario: &Scenario, donor: &[u8], rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let vendor = &self.world.vendor;
        let bytes = &scenario.bytes;
        match scenario.kind()? {
            Kind::Request => self.resealed(bytes, donor, rng),
            Kind::State => {
                let before = bytes.get(..bytes.len().checked_sub(32)?)?;
                let mut state = edited(before, donor, rng);
                state.extend(tagged(&[STATE, &state]));
                Some(state)
            }
            kind @ (Kind::License
            | Kind::Trust
            | Kind::Delegation
            | Kind::Timestamp
            | Kind::Receipt
            | Kind::Revocations) => {
                let frame = Frame::parse(kind, bytes).ok()?;
                let mut raw = Raw::new(kind, frame.vendor, edited(frame.body, donor, rng));
                raw.attachments = frame.attachments.iter().map(|a| a.bytes.to_vec()).collect();
                match kind {
                    Kind::License | Kind::Timestamp | Kind::Revocations => {
                        self.attached(&mut raw.attachments, donor, rng);
                        raw.sign(Role::Issuer, &vendor.issuer);
                    }
                    Kind::Receipt => raw.sign(Role::Install, install().signing_key()),
                    _ => raw.sign(Role::Root, &vendor.root),
                }
                Some(raw.bytes())
            }
            Kind::Proposal => self.proposed(bytes, donor, rng),
            _ => None,
        }
    }

    /// Sometimes removes or edits an attachment, or adds one from another fixture.
    fn attached(&self, attachments: &mut Vec<Vec<u8>>, donor: &[u8], rng: &mut ChaCha20Rng) {
        if rng.random_bool(0.5) {
            return;
        }
        for _ in 0..rng.random_range(1..=2) {
            let at = rng.random_range(0..=attachments.len());
            match rng.random_range(0..4) {
                0 if at < attachments.len() => drop(attachments.remove(at)),
                1 if at < attachments.len() => {
                    attachments[at] = edited(&attachments[at], donor, rng)
                }
                _ => attachments.extend(self.attachment(rng)),
            }
        }
        attachments.sort();
        if rng.random_bool(0.9) {
            attachments.dedup();
        }
    }

    /// An attachment of a random fixture, or the artefact of that fixture if it has none.
    fn attachment(&self, rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let scenario = self.fixtures.choose(rng)?;
        let kind = scenario.kind()?;
        let frame = Frame::parse(kind, &scenario.bytes).ok()?;
        match frame.attachments.choose(rng) {
            Some(attached) => Some(attached.bytes.to_vec()),
            None => Some(scenario.bytes.clone()),
        }
    }

    /// A changed proposal, or a proposal of something changed. Most are signed: a proposed license
    /// by the issuer, anything else by the root.
    fn proposed(&self, bytes: &[u8], donor: &[u8], rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let frame = Frame::parse(Kind::Proposal, bytes).ok()?;
        let mut body: ProposalBody = decode("body", frame.body, BODY_CAP).ok()?;
        match rng.random_range(0..3) {
            0 => body.body = Blob::new(&edited(&body.body, donor, rng)).ok()?,
            1 => body.attachments = Blob::new(&edited(&body.attachments, donor, rng)).ok()?,
            _ => {}
        }
        let mut raw = Raw::new(Kind::Proposal, frame.vendor, encode(&body));
        if rng.random_bool(0.3) {
            raw.body = edited(&raw.body, donor, rng);
        }
        let message = message(body.kind, frame.vendor, &body.attachments, &body.body);
        let vendor = &self.world.vendor;
        let signer = match body.kind {
            Kind::License => (Role::Issuer, &vendor.issuer),
            _ => (Role::Root, &vendor.root),
        };
        if rng.random_bool(0.8) {
            let key = key_id(signer.0, &signer.1.public()).0;
            raw.signatures.push((key, signer.1.sign(&message).unwrap()));
        }
        Some(raw.bytes())
    }

    fn resealed(&self, bytes: &[u8], donor: &[u8], rng: &mut ChaCha20Rng) -> Option<Vec<u8>> {
        let sealing = &self.world.vendor.sealing;
        let opened = SealedRequest::parse(bytes).ok()?.open(sealing).ok()?;
        let body = edited(&olr_core::wire::codec::encode(opened.body()), donor, rng);
        let mut plaintext = sized(&body);
        plaintext.resize(plaintext.len().next_multiple_of(1024), 0);
        let mut request = bytes.get(..39)?.to_vec();
        request.extend(u32::try_from(plaintext.len() + 16).unwrap().to_le_bytes());
        let header = request.clone();
        let info = pae(&[REQUEST_SEAL, &[1], &[1], &header]);
        let sealed = seal(&sealing.public(), &info, &plaintext, rng).unwrap();
        request.extend(sealed.encapsulated);
        request.extend(&sealed.ciphertext);
        let message = pae(&[
            olr_core::crypto::label::REQUEST,
            &[1],
            &[1],
            &header,
            &sealed.encapsulated,
            &sealed.ciphertext,
        ]);
        request.extend(install().signing_key().sign(&message).unwrap());
        Some(request)
    }
}

/// `bytes` after one to three small random changes.
fn edited(bytes: &[u8], donor: &[u8], rng: &mut ChaCha20Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // The same limit as for the seeds in `crates/testkit/src/files.rs`.
    bytes.truncate(16 * 1024);
    for _ in 0..rng.random_range(1..=3) {
        let len = bytes.len();
        let at = rng.random_range(0..=len);
        let few = at.saturating_add(rng.random_range(1..=8)).min(len);
        match rng.random_range(0..9) {
            0 | 1 if at < len => bytes[at] ^= 1 << rng.random_range(0..8),
            2 if at < len => bytes[at] = rng.random(),
            3 if at < len => {
                bytes[at] = *[0, 1, 0x7f, 0xfa, 0xfb, 0xfc, 0xfd, 0xff].choose(rng).unwrap()
            }
            4 => bytes.truncate(at),
            5 => drop(bytes.drain(at..few)),
            6 => {
                let again = bytes[at..few].to_vec();
                bytes.splice(at..at, again);
            }
            7 => {
                let from = rng.random_range(0..=donor.len());
                let to = from.saturating_add(rng.random_range(0..64)).min(donor.len());
                bytes.splice(at..few, donor[from..to].iter().copied());
            }
            _ => drop(bytes.splice(at..at, [rng.random::<u8>()])),
        }
    }
    bytes
}
