//! What was issued: one file an answer under `issued/`, written before the answer leaves.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::file::{self, Writing};
use crate::folder::{Folder, read_record};
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody, read_unverified};
use olr_core::wire::id::RequestId;

/// One answer, as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedRecord {
    /// The license id, 32 hexadecimal digits.
    pub license_id: String,
    /// When it was issued.
    pub issued: String,
    /// The licensee's name.
    pub licensee: String,
    /// The license key.
    pub license_key: String,
    /// The product.
    pub product: String,
    /// The slot.
    pub slot: String,
    /// The license type.
    #[serde(rename = "type")]
    pub license_type: String,
    /// The last day, or `never`.
    pub expires: String,
    /// The code of the request.
    pub code: String,
    /// The install key, 64 hexadecimal digits.
    pub install_key: String,
    /// The request id.
    pub request_id: String,
    /// Counts the answers to that request.
    pub answer: u32,
    /// The digest of the grant.
    pub grant: String,
    /// The binary request in base64.
    pub request: String,
    /// The binary license in base64.
    pub license: String,
    /// Host and addresses of the server, as its request said; older records do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Counts the answers for this key, product and slot; older records do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The license that held the key on another installation before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The binary receipt in base64 that was brought with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Why the key was moved without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

/// The license key does not print.
impl std::fmt::Debug for IssuedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedRecord").field("license_id", &self.license_id).finish_non_exhaustive()
    }
}

impl IssuedRecord {
    /// The record of `license`, the answer to `request`.
    pub(super) fn new(
        license: &License,
        license_key: &str,
        request: &[u8],
        grant: &[u8; 32],
    ) -> Self {
        let body: &LicenseBody = license.body();
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        Self {
            license_id: body.license.to_string(),
            issued: body.issued.to_string(),
            licensee: body.licensee.to_string(),
            license_key: license_key.to_string(),
            product: body.product.to_string(),
            slot: body.slot.to_string(),
            license_type: body.type_id.to_string(),
            expires: body.expires.map_or("never".to_string(), |day| day.to_string()),
            code: olr_core::display::code(&body.request_hash),
            install_key: hex(&body.install_key),
            request_id: body.request.to_string(),
            answer: body.answer,
            grant: hex(grant),
            request: BASE64_STANDARD.encode(request),
            license: BASE64_STANDARD.encode(license.bytes()),
            host: None,
            turn: None,
            moved_from: None,
            receipt: None,
            transfer: None,
        }
    }

    /// Whether it answers exactly these bytes.
    pub fn answers(&self, request: &[u8]) -> bool {
        self.request == BASE64_STANDARD.encode(request)
    }

    /// Whether it was issued for this grant.
    pub fn is_for(&self, grant: &[u8; 32]) -> bool {
        self.grant == data_encoding::HEXLOWER.encode(grant)
    }

    /// The binary license.
    ///
    /// # Errors
    /// Exit 2 when the record was damaged.
    pub fn license_bytes(&self) -> Result<Vec<u8>> {
        self.binary(&self.license)
    }

    /// The binary request that it answers.
    ///
    /// # Errors
    /// Exit 2 when the record was damaged.
    pub fn request_bytes(&self) -> Result<Vec<u8>> {
        self.binary(&self.request)
    }

    fn binary(&self, base64: &str) -> Result<Vec<u8>> {
        BASE64_STANDARD.decode(base64).map_err(|_| self.damaged())
    }

    /// What the license says.
    ///
    /// # Errors
    /// Exit 2 when the record was damaged.
    pub fn license_body(&self) -> Result<LicenseBody> {
        read_unverified(&self.license_bytes()?).map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        let fact = format!("the record of license {} is damaged", self.license_id);
        Error::unable(Problem::Damaged, fact, RESTORE)
    }

    /// The install id, for people; as it stands there when it is no key.
    pub fn install_id(&self) -> String {
        let key = data_encoding::HEXLOWER.decode(self.install_key.as_bytes());
        match key.ok().and_then(|key| <[u8; 32]>::try_from(key).ok()) {
            Some(key) => key_id(Role::Install, &key).to_string(),
            None => self.install_key.clone(),
        }
    }

    fn contains(&self, text: &str) -> bool {
        let install_id = self.install_id();
        let transfer = self.transfer.clone().unwrap_or_default();
        let fields = [
            &install_id,
            &transfer,
            &self.license_id,
            &self.issued,
            &self.licensee,
            &self.license_key,
            &self.product,
            &self.slot,
            &self.license_type,
            &self.code,
            &self.install_key,
            &self.request_id,
        ];
        fields.iter().any(|field| field.to_lowercase().contains(text))
    }
}

impl Folder {
    fn record_file(&self, request: RequestId, answer: u32) -> PathBuf {
        self.path().join("issued").join(format!("{request}.{answer}.toml"))
    }

    /// The answers to one request, first to last.
    ///
    /// # Errors
    /// Exit 2 when a record cannot be read.
    pub(super) fn answers_to(&self, request: RequestId) -> Result<Vec<IssuedRecord>> {
        let mut records = Vec::new();
        for answer in 1.. {
            let path = self.record_file(request, answer);
            if !file::is_there(&path)? {
                break;
            }
            records.push(read_record(&path, RESTORE)?);
        }
        Ok(records)
    }

    /// Keeps an answer; what is there stays.
    pub(super) fn keep(&self, request: RequestId, record: &IssuedRecord) -> Result<()> {
        let text = toml::to_string(record).map_err(|_| {
            Error::unable(
                Problem::Fault,
                "the record of this license cannot be written",
                "report this as a fault",
            )
        })?;
        let path = self.record_file(request, record.answer);
        file::write(&path, text.as_bytes(), Writing::NewSecret)
    }

    /// All answers in which `text` stands somewhere, in any letter case, oldest first.
    ///
    /// # Errors
    /// Exit 2 when the folder or a record cannot be read.
    pub fn issued(&self, text: &str) -> Result<Vec<IssuedRecord>> {
        let paths = self.list_part("issued")?;
        let text = text.to_lowercase();
        let mut records: Vec<IssuedRecord> = Vec::new();
        for path in paths {
            if path.extension().is_some_and(|extension| extension == "toml") {
                records.push(read_record(&path, RESTORE)?);
            }
        }
        records.retain(|record| record.contains(&text));
        // Two of one second, or under a clock that was set back, still follow their turn.
        let order = |r: &IssuedRecord| (r.issued.clone(), r.turn, r.license_id.clone());
        records.sort_by_key(order);
        Ok(records)
    }
}

/// What helps where a record is damaged.
const RESTORE: &str = "restore issued/ from a backup";
