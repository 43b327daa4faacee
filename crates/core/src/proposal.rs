//! A partial signature: what is to be signed by several, on its way between them.
//! Obeys `docs/format.md`, section "Partial signature".

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::sign::{PublicKey, Signer, sign, verify};
use crate::error::{Error, NextStep, Problem, Refusal, Remedy, Result, under};
use crate::key::{Role, key_id};
use crate::license::{License, LicenseBody, read_body as read_license};
use crate::trust::{
    Delegation, DelegationBody, Trust, TrustBody, read_body as read_trust, root_keys,
};
use crate::wire::codec::{BODY_CAP, Blob, Set, decode, encode, record};
use crate::wire::extension::{Extensions, refuse_critical};
use crate::wire::frame::{Frame, Kind, Signature, Unsigned};
use crate::wire::id::{KeyId, VendorId};

record! {
    /// The body of a partial signature: the parts of a frame without its signatures.
    pub struct ProposalBody {
        /// What it will be: a license, a trust or a delegation.
        pub kind: Kind,
        /// For a license, the keys that are to sign it; else none.
        pub signers: Set<KeyId, 16>,
        /// The attachment section of the frame.
        pub attachments: Blob<BODY_CAP>,
        /// The body of the frame.
        pub body: Blob<BODY_CAP>,
        /// How the body may grow.
        pub extensions: Extensions,
    }
}

/// What a proposal would say once enough have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A first or next trust.
    Trust(TrustBody),
    /// What an issuer key may sign.
    Delegation(DelegationBody),
    /// A license that needs several signers.
    License(Box<LicenseBody>),
}

/// Keys of which a number must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Who they are, for people: `the roots of trust 3`.
    pub whose: String,
    /// The keys by id.
    pub keys: Vec<(KeyId, PublicKey)>,
    /// How many of them must sign.
    pub threshold: usize,
    /// How many of them signed.
    pub signed: usize,
}

impl Quorum {
    /// How many signatures are missing.
    pub fn missing(&self) -> usize {
        self.threshold.saturating_sub(self.signed)
    }
}

/// A proposal that is right in itself. What its signatures are worth, [`Proposal::check`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    vendor: VendorId,
    body: ProposalBody,
    content: Content,
    signatures: Vec<Signature>,
    bytes: Vec<u8>,
}

impl Proposal {
    /// A proposal that nobody signed yet. `signers` are those of a license.
    ///
    /// # Errors
    /// What [`Proposal::parse`] refuses; exit 2 when a cap is broken.
    pub fn new(target: &Unsigned, signers: &BTreeSet<KeyId>) -> Result<Self> {
        let body = ProposalBody {
            kind: target.kind,
            signers: Set::new(signers.iter().copied().collect())?,
            attachments: Blob::new(&target.attachment_section)?,
            body: Blob::new(&target.body)?,
            extensions: Set::default(),
        };
        Self::signed(target.vendor, &body, Vec::new())
    }

    fn signed(vendor: VendorId, body: &ProposalBody, signatures: Vec<Signature>) -> Result<Self> {
        let frame = Unsigned::new(Kind::Proposal, vendor, Vec::new(), encode(body))?;
        Self::parse(&frame.with_signatures(signatures)?)
    }

    /// Reads a binary proposal. Nothing in it is believed yet.
    ///
    /// # Errors
    /// In this order: frame errors, `malformed`, `unknown-version`, what the target's own rules give.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let frame = Frame::parse(Kind::Proposal, bytes)?;
        let body: ProposalBody =
            decode("partial signature body", frame.body, BODY_CAP).map_err(under("partial-1"))?;
        check(&frame, &body)?;
        refuse_critical("partial signature body", &body.extensions)?;
        let target =
            Frame::proposed(body.kind, frame.vendor, &body.attachments, &body.body, Vec::new())
                .map_err(under("partial-4"))?;
        let content = read(&target).map_err(under("partial-5"))?;
        let (vendor, signatures) = (frame.vendor, frame.signatures);
        Ok(Self { vendor, body, content, signatures, bytes: bytes.to_vec() })
    }

    /// As [`Proposal::parse`], and holds it against what is trusted, as [`Proposal::check`].
    ///
    /// # Errors
    /// As [`Proposal::parse`], `wrong-vendor` after the frame errors, and then as
    /// [`Proposal::check`].
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self> {
        Frame::parse(Kind::Proposal, bytes)?.ensure_vendor(trust.vendor())?;
        let proposal = Self::parse(bytes)?;
        proposal.check(Some(trust))?;
        Ok(proposal)
    }

    /// Whose it is.
    pub fn vendor(&self) -> VendorId {
        self.vendor
    }

    /// What it will be.
    pub fn kind(&self) -> Kind {
        self.body.kind
    }

    /// What it carries, as it is on the wire.
    pub fn body(&self) -> &ProposalBody {
        &self.body
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The ids of the keys that are said to have signed.
    pub fn signed_by(&self) -> BTreeSet<KeyId> {
        self.signatures.iter().map(|signature| signature.key).collect()
    }

    /// The role of the keys that sign it.
    pub fn role(&self) -> Role {
        if self.body.kind == Kind::License { Role::Issuer } else { Role::Root }
    }

    /// The frame that it is about.
    ///
    /// # Errors
    /// None, once it was parsed.
    pub fn target(&self) -> Result<Frame<'_>> {
        let ProposalBody { kind, attachments, body, .. } = &self.body;
        Frame::proposed(*kind, self.vendor, attachments, body, self.signatures.clone())
    }

    /// Who must sign, and how many of them did. Without a trust only the roots that a trust names
    /// itself are known.
    ///
    /// # Errors
    /// What the delegations of a license give; exit 2 when a trust is needed and not at hand.
    pub fn quorums(&self, trust: Option<&Trust>) -> Result<Vec<Quorum>> {
        let signed_by = self.signed_by();
        let quorum = |whose: String, keys: Vec<(KeyId, PublicKey)>, threshold: usize| {
            let signed = keys.iter().filter(|(id, _)| signed_by.contains(id)).count();
            Quorum { whose, keys, threshold, signed }
        };
        let roots = |body: &TrustBody| {
            let whose = format!("the roots of trust {}", body.version);
            quorum(whose, root_keys(body), body.threshold.into())
        };
        match (&self.content, trust) {
            (Content::Trust(next), None) => Ok(vec![roots(next)]),
            (Content::Trust(next), Some(trust)) => Ok(vec![roots(trust.body()), roots(next)]),
            (Content::Delegation(_), Some(trust)) => Ok(vec![roots(trust.body())]),
            (Content::License(_), Some(trust)) => {
                // A key may have two delegations.
                let delegations = self.delegations(trust)?;
                let keys = delegations.iter().map(|d| (d.key_id(), d.body().issuer));
                let keys: Vec<_> = keys.collect::<BTreeMap<_, _>>().into_iter().collect();
                let (issuers, all) = ("the issuers that are to sign".to_string(), keys.len());
                Ok(vec![quorum(issuers, keys, all)])
            }
            (_, None) => {
                let fact =
                    format!("who may sign this {} stands in the vendor's trust", self.kind());
                let remedies = &[Remedy::NameTrust, Remedy::NameVendor];
                let step = NextStep::new("name that trust or the vendor's folder", remedies);
                Err(Error::unable(Problem::Usage, fact, step))
            }
        }
    }

    /// The delegations of those who are to sign a license.
    fn delegations(&self, trust: &Trust) -> Result<Vec<Delegation>> {
        trust.future_signers(&self.target()?, &self.body.signers.iter().copied().collect())
    }

    /// Whether those who are to sign a license may.
    fn check_signers(&self, license: &LicenseBody, trust: &Trust) -> Result<()> {
        license.ensure_delegated(&self.delegations(trust)?, trust)?;
        trust.ensure_unrevoked(self.body.signers.iter().copied()).map_err(under("license-7"))
    }

    /// Whether it could become what it proposes, and whether every signature is one that counts.
    ///
    /// # Errors
    /// `superseded` (a trust that is not newer), what the delegations of a license give,
    /// `not-delegated`, `revoked`, `untrusted-signer`, `wrong-signature`; exit 2 when a trust is
    /// needed and not at hand.
    pub fn check(&self, trust: Option<&Trust>) -> Result<()> {
        match (&self.content, trust) {
            (Content::Trust(next), Some(trust)) if next.version <= trust.body().version => {
                let (next, there) = (next.version, trust.body().version);
                let fact = format!("the proposed trust {next} is not newer than trust {there}");
                return Err(Error::refuse(Refusal::Superseded, fact).rule("partial-6"));
            }
            (Content::License(license), Some(trust)) => {
                self.check_signers(license, trust).map_err(under("partial-7"))?;
            }
            _ => {}
        }
        let quorums = self.quorums(trust)?;
        let keys: Vec<_> = quorums.iter().flat_map(|quorum| &quorum.keys).collect();
        // What former roots signed, only who has their trust can tell.
        let first_contact = match &self.content {
            Content::Trust(next) => trust.is_none() && next.version > 1,
            _ => false,
        };
        let mut known = Vec::new();
        for signature in &self.signatures {
            match keys.iter().find(|(id, _)| *id == signature.key) {
                Some((_, key)) => known.push((key, signature)),
                None if first_contact => {}
                None => {
                    let fact =
                        format!("this is signed by key {}, which does not count", signature.key);
                    return Err(Error::refuse(Refusal::UntrustedSigner, fact)
                        .hint("make the proposal anew and sign it with keys that count")
                        .rule("partial-8"));
                }
            }
        }
        let message = self.target()?.message();
        match known.iter().find(|(key, signature)| !verify(key, &message, &signature.bytes)) {
            None => Ok(()),
            Some((_, Signature { key, .. })) => {
                let fact = format!("the signature of key {key} does not fit this {}", self.kind());
                let error = Error::refuse(Refusal::WrongSignature, fact);
                Err(error.rule("signature-3").rule("partial-9"))
            }
        }
    }

    /// The proposal with one more signature, over exactly the bytes that the finished file will
    /// have. Who signed already signs nothing twice.
    ///
    /// # Errors
    /// Exit 2 when the key is none that counts, or cannot be used.
    pub fn sign(&self, signer: &dyn Signer, trust: Option<&Trust>) -> Result<Self> {
        let key = self.ensure_counts(&signer.public(), trust)?;
        if self.signed_by().contains(&key) {
            return Ok(self.clone());
        }
        let bytes = sign(signer, &self.target()?.message())?;
        let mut signatures = self.signatures.clone();
        signatures.push(Signature { key, bytes });
        let signed = Self::signed(self.vendor, &self.body, signatures)?;
        signed.check(trust)?;
        Ok(signed)
    }

    /// The id of a key, if its signature would count here.
    ///
    /// # Errors
    /// Exit 2 when it would not.
    pub fn ensure_counts(&self, public: &PublicKey, trust: Option<&Trust>) -> Result<KeyId> {
        let (role, quorums) = (self.role(), self.quorums(trust)?);
        let key = key_id(role, public);
        if quorums.iter().flat_map(|quorum| &quorum.keys).any(|(id, _)| *id == key) {
            return Ok(key);
        }
        let whose: Vec<_> = quorums.iter().map(|quorum| quorum.whose.as_str()).collect();
        let fact = format!("{role} key {key} is none of {}", whose.join(" and "));
        Err(Error::unable(
            Problem::WrongKey,
            fact,
            NextStep::new("sign with a key that the proposal lists", &[Remedy::Inspect]),
        ))
    }

    /// The same proposal with the signatures of both.
    ///
    /// # Errors
    /// Exit 2 when the two propose different things.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        if (self.vendor, &self.body) != (other.vendor, &other.body) {
            let fact = "these proposals are not for the same bytes";
            return Err(Error::unable(Problem::Usage, fact, "combine the copies of one proposal"));
        }
        let there = self.signed_by();
        let mut signatures = self.signatures.clone();
        signatures.extend(other.signatures.iter().filter(|more| !there.contains(&more.key)));
        Self::signed(self.vendor, &self.body, signatures)
    }

    /// The finished file, verified as whoever gets it will.
    ///
    /// # Errors
    /// As [`Proposal::check`]; exit 2 when signatures are missing, naming whose.
    pub fn finish(&self, trust: Option<&Trust>) -> Result<Vec<u8>> {
        self.check(trust)?;
        if let Some(fact) = self.still_missing(trust)? {
            let step = NextStep::new("let them sign, then combine", &[Remedy::SignProposal]);
            return Err(Error::unable(Problem::Usage, fact, step));
        }
        let ProposalBody { kind, attachments, body, .. } = &self.body;
        let unsigned = Unsigned {
            kind: *kind,
            vendor: self.vendor,
            attachment_section: attachments.to_vec(),
            body: body.to_vec(),
        };
        let bytes = unsigned.with_signatures(self.signatures.clone())?;
        match (trust, kind) {
            (None, _) => drop(Trust::pin(&bytes)?),
            (Some(trust), Kind::Trust) => drop(trust.successor(&bytes)?),
            (Some(trust), Kind::License) => drop(License::verify(&bytes, trust)?),
            (Some(trust), _) => {
                trust.delegation(&Frame::parse(*kind, &bytes)?)?.check_key()?;
            }
        }
        Ok(bytes)
    }

    /// Who has still to sign, in words; nothing when it is enough.
    ///
    /// # Errors
    /// As [`Proposal::quorums`].
    pub fn still_missing(&self, trust: Option<&Trust>) -> Result<Option<String>> {
        let signed_by = self.signed_by();
        let quorums = self.quorums(trust)?;
        // Old and new roots are often the same people: then nobody has to be told which are meant.
        let who = |quorum: &Quorum| (quorum.keys.clone(), quorum.threshold);
        let is_one = quorums.iter().map(who).collect::<BTreeSet<_>>().len() == 1;
        let lacking = |quorum: &Quorum| {
            let open = quorum.keys.iter().filter(|(id, _)| !signed_by.contains(id));
            let open: Vec<_> = open.map(|(id, _)| id.to_string()).collect();
            let Quorum { whose, threshold, signed, .. } = quorum;
            let (missing, open) = (quorum.missing(), open.join(", "));
            let said =
                format!("{signed} of {threshold} signatures so far; any {missing} of {open}");
            if is_one { said } else { format!("{whose}: {said}") }
        };
        let mut lacking: Vec<_> = quorums.iter().filter(|q| q.missing() > 0).map(lacking).collect();
        lacking.dedup();
        Ok((!lacking.is_empty()).then(|| lacking.join(". ")))
    }
}

/// Checks what the types of a partial signature cannot say.
fn check(frame: &Frame<'_>, body: &ProposalBody) -> Result<()> {
    let (rule, problem) = if !frame.attachments.is_empty() {
        ("partial-2", "a partial signature has no attachments of its own")
    } else if !matches!(body.kind, Kind::License | Kind::Trust | Kind::Delegation) {
        ("partial-3", "only a trust, a delegation or a license is signed by several")
    } else if body.signers.is_empty() == (body.kind == Kind::License) {
        ("partial-3", "a license names who is to sign it, and nothing else does")
    } else {
        return Ok(());
    };
    Err(Error::refuse(Refusal::Malformed, format!("partial signature body: {problem}")).rule(rule))
}

/// What the target says, by its own rules.
fn read(target: &Frame<'_>) -> Result<Content> {
    match target.kind {
        Kind::Trust => read_trust(target).map(Content::Trust),
        Kind::Delegation => {
            let delegation = Delegation::read(target)?;
            delegation.check_key()?;
            Ok(Content::Delegation(delegation.body().clone()))
        }
        _ => read_license(target.body).map(|body| Content::License(Box::new(body))),
    }
}
