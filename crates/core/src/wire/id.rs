//! Identifiers of 16 bytes, written as 32 hexadecimal digits.

use crate::wire::codec::identifier;

identifier! {
    /// Names a vendor for ever: derived from the body of its first trust.
    pub struct VendorId;
}

identifier! {
    /// Names a public key together with its role and suite.
    pub struct KeyId;
}

identifier! {
    /// Names one issued license file.
    pub struct LicenseId;
}

identifier! {
    /// Stands for a revoked license.
    pub struct RevokedId;
}

identifier! {
    /// Names a change that people are told of.
    pub struct EventId;
}

identifier! {
    /// Names one request of one installation.
    pub struct RequestId;
}
