//! Identifiers of 16 bytes, written as 32 hexadecimal digits.

use crate::wire::codec::identifier;

identifier! {
    /// Permanent id of a vendor, derived from the body of its first trust.
    pub struct VendorId;
}

identifier! {
    /// Id of a public key, derived from the key, its role and its suite.
    pub struct KeyId;
}

identifier! {
    /// Id of one issued license file.
    pub struct LicenseId;
}

identifier! {
    /// Id under which a list of revocations names a license.
    pub struct RevokedId;
}

identifier! {
    /// Id of an event that people are notified of.
    ///
    /// ```
    /// # mod olr { pub use olr_core::{wire::id::EventId}; }
    /// use olr::EventId;
    ///
    /// let id: EventId = "00112233445566778899aabbccddeeff".parse()?;
    /// assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
    /// # Ok::<(), olr_core::error::Error>(())
    /// ```
    pub struct EventId;
}

identifier! {
    /// Id of one request of one installation.
    pub struct RequestId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_hexadecimal_digits() {
        let text = "00112233445566778899aabbccddeeff";
        let id: EventId = text.parse().unwrap();
        assert_eq!((id.to_string(), id.0[1]), (text.to_string(), 0x11));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        for wrong in ["", "0", &text[1..], &format!("{text}00"), &text.replace('0', "g"), " "] {
            let error = wrong.parse::<EventId>().unwrap_err();
            assert_eq!((error.exit_status(), error.refusal()), (2, None), "{wrong:?}");
        }
    }
}
