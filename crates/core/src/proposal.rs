//! A proposal: a file that several keys must sign, on its way between the signers. Implements
//! `docs/format.md`, section "Proposal".

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
    /// The body of a proposal: the parts of a frame without its signatures.
    pub struct ProposalBody {
        /// Kind of the proposed file: a license, a trust or a delegation.
        pub kind: Kind,
        /// For a license, the ids of the keys that are to sign it. Empty for other kinds.
        pub signers: Set<KeyId, 16>,
        /// The attachment section of the frame.
        pub attachments: Blob<BODY_CAP>,
        /// The body of the frame.
        pub body: Blob<BODY_CAP>,
        /// Room for later fields.
        pub extensions: Extensions,
    }
}

/// Content of the proposed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A first or next trust.
    Trust(TrustBody),
    /// A delegation.
    Delegation(DelegationBody),
    /// A license that needs several signers.
    License(Box<LicenseBody>),
}

/// A set of keys, a certain number of which must sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// Description of the set for people: `the roots of trust 3`.
    pub whose: String,
    /// The keys with their ids.
    pub keys: Vec<(KeyId, PublicKey)>,
    /// Number of keys that must sign.
    pub threshold: usize,
    /// Number of keys that have signed.
    pub signed: usize,
}

impl Quorum {
    /// Returns the number of missing signatures.
    pub fn missing(&self) -> usize {
        self.threshold.saturating_sub(self.signed)
    }
}

/// A well-formed proposal. [`Proposal::check`] verifies its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    vendor: VendorId,
    body: ProposalBody,
    content: Content,
    signatures: Vec<Signature>,
    bytes: Vec<u8>,
}

impl Proposal {
    /// Makes a proposal without signatures. `signers` are the signers of a license.
    ///
    /// # Errors
    /// The refusals of [`Proposal::parse`]; exit 2 if a cap is exceeded.
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

    /// Parses a binary proposal. Does not verify signatures.
    ///
    /// # Errors
    /// In this order: frame errors, `malformed`, `unknown-version`, refusals for the proposed file.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let frame = Frame::parse(Kind::Proposal, bytes)?;
        let body: ProposalBody =
            decode("proposal body", frame.body, BODY_CAP).map_err(under("proposal-1"))?;
        check(&frame, &body)?;
        refuse_critical("proposal body", &body.extensions)?;
        let target =
            Frame::proposed(body.kind, frame.vendor, &body.attachments, &body.body, Vec::new())
                .map_err(under("proposal-4"))?;
        let content = read(&target).map_err(under("proposal-5"))?;
        let (vendor, signatures) = (frame.vendor, frame.signatures);
        Ok(Self { vendor, body, content, signatures, bytes: bytes.to_vec() })
    }

    /// Parses a proposal like [`Proposal::parse`], then checks it like [`Proposal::check`].
    ///
    /// # Errors
    /// Those of [`Proposal::parse`], with `wrong-vendor` after the frame errors, then those of
    /// [`Proposal::check`].
    pub fn verify(bytes: &[u8], trust: &Trust) -> Result<Self> {
        Frame::parse(Kind::Proposal, bytes)?.ensure_vendor(trust.vendor())?;
        let proposal = Self::parse(bytes)?;
        proposal.check(Some(trust))?;
        Ok(proposal)
    }

    /// The vendor that the proposal belongs to.
    pub fn vendor(&self) -> VendorId {
        self.vendor
    }

    /// Kind of the proposed file.
    pub fn kind(&self) -> Kind {
        self.body.kind
    }

    /// The encoded parts of the proposed file.
    pub fn body(&self) -> &ProposalBody {
        &self.body
    }

    /// Content of the proposed file.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The proposal in its binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Ids of the keys that are claimed to have signed.
    pub fn signed_by(&self) -> BTreeSet<KeyId> {
        self.signatures.iter().map(|signature| signature.key).collect()
    }

    /// Role of the keys that must sign.
    pub fn role(&self) -> Role {
        if self.body.kind == Kind::License { Role::Issuer } else { Role::Root }
    }

    /// Returns the frame of the proposed file.
    ///
    /// # Errors
    /// None, because it was checked when the proposal was parsed.
    pub fn target(&self) -> Result<Frame<'_>> {
        let ProposalBody { kind, attachments, body, .. } = &self.body;
        Frame::proposed(*kind, self.vendor, attachments, body, self.signatures.clone())
    }

    /// Returns who must sign, and how many of them have signed. Without a trust, this works only
    /// for a proposed trust, and only for the roots that it names itself.
    ///
    /// # Errors
    /// The refusals for the delegations of a license; exit 2 if a required trust is `None`.
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
                let (issuers, all) = ("the issuers that must sign".to_string(), keys.len());
                Ok(vec![quorum(issuers, keys, all)])
            }
            (_, None) => {
                let fact =
                    format!("the trust that says who may sign this {} is missing", self.kind());
                let remedies = &[Remedy::NameTrust, Remedy::NameVendor];
                let step = NextStep::new("name that trust, or the vendor's folder", remedies);
                Err(Error::unable(Problem::Usage, fact, step))
            }
        }
    }

    /// Returns the delegations of the signers of a license.
    fn delegations(&self, trust: &Trust) -> Result<Vec<Delegation>> {
        trust.future_signers(&self.target()?, &self.body.signers.iter().copied().collect())
    }

    /// Checks that the signers of a license may sign it.
    fn check_signers(&self, license: &LicenseBody, trust: &Trust) -> Result<()> {
        license.ensure_delegated(&self.delegations(trust)?, trust)?;
        trust.ensure_unrevoked(self.body.signers.iter().copied()).map_err(under("license-12"))
    }

    /// Checks the proposed file, and that every signature is valid and by a required key. Without a
    /// trust, ignores signatures of other keys on a trust of version 2 or later.
    ///
    /// # Errors
    /// `superseded` (not newer), the refusals for the delegations of a license, `not-delegated`,
    /// `revoked`, `untrusted-signer`, `wrong-signature`; exit 2 if a required trust is `None`.
    pub fn check(&self, trust: Option<&Trust>) -> Result<()> {
        match (&self.content, trust) {
            (Content::Trust(next), Some(trust)) if next.version <= trust.body().version => {
                let (next, there) = (next.version, trust.body().version);
                let fact = format!("the proposed trust {next} is not newer than trust {there}");
                return Err(Error::refuse(Refusal::Superseded, fact).rule("proposal-6"));
            }
            (Content::License(license), Some(trust)) => {
                self.check_signers(license, trust).map_err(under("proposal-7"))?;
            }
            _ => {}
        }
        let quorums = self.quorums(trust)?;
        let keys: Vec<_> = quorums.iter().flat_map(|quorum| &quorum.keys).collect();
        // Signatures of former roots can be verified only with the trust that names these roots.
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
                    let fact = format!("key {} may not sign this proposal, but did", signature.key);
                    return Err(Error::refuse(Refusal::UntrustedSigner, fact)
                        .hint("make a new proposal, and sign it with the required keys")
                        .rule("proposal-8"));
                }
            }
        }
        let message = self.target()?.message();
        match known.iter().find(|(key, signature)| !verify(key, &message, &signature.bytes)) {
            None => Ok(()),
            Some((_, Signature { key, .. })) => {
                let fact =
                    format!("the signature of key {key} does not match this {}", self.kind());
                let error = Error::refuse(Refusal::WrongSignature, fact);
                Err(error.rule("signature-3").rule("proposal-9"))
            }
        }
    }

    /// Returns the proposal with one more signature, over exactly the bytes that the finished file
    /// will contain. Does not change the proposal if the key has signed already.
    ///
    /// # Errors
    /// Exit 2: the key may not or cannot sign, or a cap is exceeded; errors of [`Proposal::check`].
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

    /// Returns the id of a key, if it is one of those required.
    ///
    /// # Errors
    /// Exit 2 if it is not; errors of [`Proposal::quorums`].
    pub fn ensure_counts(&self, public: &PublicKey, trust: Option<&Trust>) -> Result<KeyId> {
        let (role, quorums) = (self.role(), self.quorums(trust)?);
        let key = key_id(role, public);
        if quorums.iter().flat_map(|quorum| &quorum.keys).any(|(id, _)| *id == key) {
            return Ok(key);
        }
        let whose: Vec<_> = quorums.iter().map(|quorum| quorum.whose.as_str()).collect();
        let fact = format!("{role} key {key} is not one of {}", whose.join(" or "));
        Err(Error::unable(
            Problem::WrongKey,
            fact,
            NextStep::new("sign with a key that the proposal or trust lists", &[Remedy::Inspect]),
        ))
    }

    /// Returns the proposal with the signatures of both proposals.
    ///
    /// # Errors
    /// Exit 2 if the two propose different files, or have too many signatures.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        if (self.vendor, &self.body) != (other.vendor, &other.body) {
            let fact = "these proposals are for different files";
            return Err(Error::unable(Problem::Usage, fact, "combine copies of one proposal only"));
        }
        let there = self.signed_by();
        let mut signatures = self.signatures.clone();
        signatures.extend(other.signatures.iter().filter(|more| !there.contains(&more.key)));
        Self::signed(self.vendor, &self.body, signatures)
    }

    /// Returns the finished file, verified as its recipient will verify it.
    ///
    /// # Errors
    /// Those of [`Proposal::check`]; the recipient's refusals; exit 2 if signatures are missing.
    pub fn finish(&self, trust: Option<&Trust>) -> Result<Vec<u8>> {
        self.check(trust)?;
        if let Some(fact) = self.still_missing(trust)? {
            let text = "have the missing keys sign, then combine the signed proposals";
            let step = NextStep::new(text, &[Remedy::SignProposal]);
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

    /// Describes which signatures are missing. `None` if there are enough.
    ///
    /// # Errors
    /// Same as [`Proposal::quorums`].
    pub fn still_missing(&self, trust: Option<&Trust>) -> Result<Option<String>> {
        let signed_by = self.signed_by();
        let quorums = self.quorums(trust)?;
        // If old and new roots are the same, the text does not say which of the two it means.
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

/// Checks the rules that the types of a proposal cannot express.
fn check(frame: &Frame<'_>, body: &ProposalBody) -> Result<()> {
    let (rule, problem) = if !frame.attachments.is_empty() {
        ("proposal-2", "a proposal cannot have attachments of its own")
    } else if !matches!(body.kind, Kind::License | Kind::Trust | Kind::Delegation) {
        ("proposal-3", "only a trust, a delegation or a license is signed by several keys")
    } else if body.signers.is_empty() == (body.kind == Kind::License) {
        ("proposal-3", "a license must name its signers, and nothing else may")
    } else {
        return Ok(());
    };
    Err(Error::refuse(Refusal::Malformed, format!("proposal body: {problem}")).rule(rule))
}

/// Decodes the proposed file by the rules of its kind.
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
