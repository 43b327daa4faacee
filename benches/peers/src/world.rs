//! A vendor and a server that have completed one exchange of files.

use std::time::{SystemTime, UNIX_EPOCH};

use olr::{Home, RequestParams, Surroundings, probe};
use olr_core::crypto::seal::SealingKey;
use olr_core::crypto::secret::Secret;
use olr_core::entitlement::Grant;
use olr_core::error::{Error, Problem, Result};
use olr_core::key::install::InstallSecret;
use olr_core::license::{License, sign_license};
use olr_core::machine::Factor;
use olr_core::request::{RequestBody, SealedRequest};
use olr_core::time::Instant;
use olr_core::trust::{Act, Trust};
use olr_core::wire::codec::{Hidden, Set, Text};
use olr_office::folder::{Folder, Init, Issue};
use olr_office::issue::{GrantFile, STARTER_GRANT};
use rand::{SeedableRng, rngs::ChaCha20Rng};

/// Modules of the license.
const MODULES: usize = 15;

/// What the exchange left.
pub struct World {
    /// Contains the server's home.
    pub folder: tempfile::TempDir,
    pub trust: Trust,
    pub sealing: SealingKey,
    pub install: InstallSecret,
    pub body: RequestBody,
    pub request: Vec<u8>,
    /// A license of 15 modules, signed by an issuer whose delegation a root signed.
    pub license: License,
}

impl World {
    /// Makes the exchange, on this machine and now.
    pub fn new() -> Result<Self> {
        let mut rng = ChaCha20Rng::from_seed([7; 32]);
        let folder = tempfile::tempdir().map_err(|_| fault("no temporary folder"))?;
        let init = Init {
            name: "Peers",
            catalog: None,
            passphrases: None,
            test: true,
            roots: Default::default(),
        };
        let (vendor, trust) = Folder::init(&folder.path().join("vendor"), &init, &mut rng)?;

        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| fault("no clock"))?;
        let now = Instant::new(now.as_secs());
        let around =
            Surroundings { factors: probe(false).factors, clock: now, ..Default::default() };
        let params = RequestParams {
            trust: Some(trust.bytes().to_vec()),
            licensee: Some(Text::new("ACME Ltd")?),
            license_key: Some(Hidden(Text::new("AbCd-1234")?)),
            pins: vec![Factor::pin("rack=B12")?, Factor::pin("asset=4711")?],
            ..Default::default()
        };
        let home = Home::at(folder.path().join("home"));
        let requested = home.request(&params, &around, &mut rng)?;

        let mut ask = |_: &_| Err(fault("no key here has a passphrase"));
        let opened = vendor.open_request(&requested.bytes, None, &trust, &mut ask)?;
        let grant = GrantFile::parse(STARTER_GRANT)?;
        let issue = Issue::new(&requested.bytes, &grant, now);
        let issued = vendor.issue(&opened, &issue, &trust, &mut ask, &mut rng)?.outcome;
        let small = issued.license().ok_or_else(|| fault("nothing was issued"))?;
        let (issuer, delegation) = vendor.issuer_for(Act::License, now, &trust, &mut ask)?;
        let mut body = small.body().clone();
        body.grants = grants(&body.grants)?;
        let license = sign_license(&body, &trust, &[(&issuer, &delegation)], &[])?;
        home.import(license.bytes(), &around, Default::default())?;

        let sealing = SealedRequest::parse(&requested.bytes)?.recipient;
        let sealing = vendor.sealing_key(sealing, &mut ask)?;
        let install = InstallSecret::from_secret(Secret::random(&mut rng));
        let (body, request) = (requested.body, requested.bytes);
        Ok(Self { folder, trust, sealing, install, body, request, license })
    }
}

/// Grants of as many modules as the license is to have, all copied from the first grant.
fn grants(few: &[Grant]) -> Result<Set<Grant, 4096>> {
    let first = few.first().ok_or_else(|| fault("nothing was granted"))?;
    let module = |number| {
        let mut grant = first.clone();
        grant.module = Text::new(&format!("M{number:02}"))?;
        grant.name = Text::new(&format!("Backup of databases, part {number:02}"))?;
        Ok(grant)
    };
    Set::new((1..=MODULES).map(module).collect::<Result<_>>()?)
}

fn fault(fact: &'static str) -> Error {
    Error::unable(Problem::Fault, fact, "")
}
