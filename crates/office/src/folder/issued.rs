//! Records of issued licenses: one file per answer under `issued/`, written before the license is
//! handed out.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use crate::file::{self, Writing};
use crate::folder::{Folder, read_record};
use olr_core::error::{Error, Problem, Result};
use olr_core::key::{Role, key_id};
use olr_core::license::{License, LicenseBody, read_unverified};
use olr_core::wire::id::RequestId;

/// Record of one answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedRecord {
    /// License id, 32 hexadecimal digits.
    pub license_id: String,
    /// Instant of issue.
    pub issued: String,
    /// Name of the licensee.
    pub licensee: String,
    /// License key.
    pub license_key: String,
    /// Id of the product.
    pub product: String,
    /// Slot.
    pub slot: String,
    /// License type.
    #[serde(rename = "type")]
    pub license_type: String,
    /// Last day of the license, or `never`.
    pub expires: String,
    /// Code of the request, which people compare by phone.
    pub code: String,
    /// Install key, 64 hexadecimal digits.
    pub install_key: String,
    /// Request id.
    pub request_id: String,
    /// Number of this answer among the answers to its request, from 1.
    pub answer: u32,
    /// Digest of the grant.
    pub grant: String,
    /// The binary request, in base64.
    pub request: String,
    /// The binary license, in base64.
    pub license: String,
    /// Host and addresses of the server, from its request; `None` if the request shows neither, and
    /// in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Number of this answer among those for its key, product and slot; `None` in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// Id of the license through which another installation held the key before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// The binary receipt that came with the request, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Reason for moving the key without a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<String>,
}

/// Leaves out everything but the license id: the license key must not reach logs.
impl std::fmt::Debug for IssuedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedRecord").field("license_id", &self.license_id).finish_non_exhaustive()
    }
}

impl IssuedRecord {
    /// Builds the record of `license`, the answer to `request`.
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

    /// Last day of the license, in words.
    pub fn last_day(&self) -> &str {
        if self.expires == "never" { "no end date" } else { &self.expires }
    }

    /// True if this record answers exactly these request bytes.
    pub fn answers(&self, request: &[u8]) -> bool {
        self.request == BASE64_STANDARD.encode(request)
    }

    /// True if the license was issued for the grant with this digest.
    pub fn is_for(&self, grant: &[u8; 32]) -> bool {
        self.grant == data_encoding::HEXLOWER.encode(grant)
    }

    /// Decodes the binary license.
    ///
    /// # Errors
    /// Exit 2 when the record is damaged.
    pub fn license_bytes(&self) -> Result<Vec<u8>> {
        self.binary(&self.license)
    }

    /// Decodes the binary request.
    ///
    /// # Errors
    /// Exit 2 when the record is damaged.
    pub fn request_bytes(&self) -> Result<Vec<u8>> {
        self.binary(&self.request)
    }

    fn binary(&self, base64: &str) -> Result<Vec<u8>> {
        BASE64_STANDARD.decode(base64).map_err(|_| self.damaged())
    }

    /// Decodes the body of the license, without verifying its signature.
    ///
    /// # Errors
    /// Exit 2 when the record is damaged.
    pub fn license_body(&self) -> Result<LicenseBody> {
        read_unverified(&self.license_bytes()?).map_err(|_| self.damaged())
    }

    fn damaged(&self) -> Error {
        let fact = format!("the record of license {} is damaged", self.license_id);
        Error::unable(Problem::Damaged, fact, RESTORE)
    }

    /// Install id, for display; the recorded text unchanged if it is not a valid key.
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

    /// Records of the answers to one request, in the order of issue.
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

    /// Stores an answer. Never overwrites an existing record.
    pub(super) fn keep(&self, request: RequestId, record: &IssuedRecord) -> Result<()> {
        let text = toml::to_string(record).map_err(|_| {
            Error::unable(
                Problem::Fault,
                "the record of this license cannot be written",
                "report this as a bug",
            )
        })?;
        let path = self.record_file(request, record.answer);
        file::write(&path, text.as_bytes(), Writing::NewSecret)
    }

    /// Returns all answers with a field that contains `text`, ignoring case, oldest first.
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
        // `turn` orders records of the same second.
        let order = |r: &IssuedRecord| (r.issued.clone(), r.turn, r.license_id.clone());
        records.sort_by_key(order);
        Ok(records)
    }
}

/// Next step when a record is damaged.
const RESTORE: &str = "restore issued/ from a backup";
