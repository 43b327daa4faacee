//! Converts errors of a PKCS#11 library to errors with one next step.

use cryptoki::error::{Error as Failure, RvError};

use olr_core::error::{Error, Problem};

pub fn no_ed25519(what: &str) -> Error {
    let fact = format!("{what} cannot sign with Ed25519 (CKM_EDDSA)");
    Error::unable(Problem::Device, fact, "use a token that can sign with Ed25519, or a key file")
}

pub fn login_failed(token: &str, code: Option<RvError>) -> Error {
    match code {
        Some(RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange) => Error::unable(
            Problem::WrongPassphrase,
            format!("the PIN of token {token} is wrong"),
            "check it before the next try: most tokens lock after a few wrong PINs",
        ),
        Some(RvError::PinLocked) => Error::unable(
            Problem::Device,
            format!("the PIN of token {token} is locked after too many wrong ones"),
            "have the token's security officer set a new PIN",
        ),
        Some(RvError::PinExpired | RvError::UserPinNotInitialized) => Error::unable(
            Problem::NeedsPassphrase,
            format!("the PIN of token {token} has expired or was never set"),
            "set a new PIN with the tool that came with the token",
        ),
        Some(RvError::FunctionCanceled | RvError::Cancel) => Error::unable(
            Problem::NeedsPassphrase,
            format!("the PIN of token {token} was not entered"),
            "enter it at the token itself",
        ),
        _ => Error::unable(
            Problem::Device,
            format!("login to token {token} failed"),
            "unplug it and plug it in again, or check its service",
        ),
    }
}

/// Builds the error for any other failure. It does not show the library's own message.
pub fn failed(what: &str, failure: &Failure) -> Error {
    let gone = matches!(
        failure,
        Failure::Pkcs11(
            RvError::DeviceRemoved
                | RvError::TokenNotPresent
                | RvError::SessionHandleInvalid
                | RvError::SessionClosed,
            _
        )
    );
    if gone {
        return Error::unable(
            Problem::Device,
            format!("{what}: the token was removed"),
            "plug the token in and try again",
        );
    }
    Error::unable(Problem::Device, what, "test the token with its own tool, or restart its service")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_to_log_in_is_told_apart() {
        for (code, says) in [
            (Some(RvError::PinIncorrect), "wrong"),
            (Some(RvError::PinLocked), "locked after"),
            (Some(RvError::PinExpired), "has expired"),
            (Some(RvError::FunctionCanceled), "was not entered"),
            (None, "login to token"),
        ] {
            let error = login_failed("olr", code);
            assert!(error.fact().contains(says) && error.exit_status() == 2, "{error:?}");
        }
    }
}
