//! Signing with a PKCS#11 token: finds the token, opens a session, finds one Ed25519 key, and
//! signs.
//!
//! Only pure Ed25519 is used. Some tokens accept the parameters of Ed25519ctx and Ed25519ph, report
//! success, and sign something else. Every signature is verified before it is used.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Failure, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use crate::key::token::failure::{failed, login_failed, no_ed25519};
use crate::key::token::object::Object;
use crate::key::token::uri::Uri;
use crate::key::token::{AskPin, PinWanted};
use olr_core::crypto::sign::{PublicKey, Signer, is_trustworthy};
use olr_core::display::shown;
use olr_core::error::{Error, Problem, Result};

/// Maximum number of slots or objects to examine.
const OBJECTS: usize = 256;
/// Maximum number of tokens or keys to list in a message.
const NAMED: usize = 8;
struct TokenKey {
    session: Session,
    handle: ObjectHandle,
    public: PublicKey,
}

/// Opens the one key that matches `uri`, on the one token that matches it, through the library
/// `module`.
///
/// # Errors
/// Exit 2: no library; no token or key, or several; a wrong or locked PIN; no Ed25519.
pub fn open(uri: &Uri, module: Option<&Path>, ask: AskPin<'_>) -> Result<Box<dyn Signer>> {
    let token = Token::find(uri, module)?;
    token.log_in(ask)?;
    let (handle, public) = token.key(uri)?;
    Ok(Box::new(TokenKey { session: token.session, handle, public }))
}

/// Reads the public half of the key that [`open`] opens. Asks for the PIN only if the token hides
/// public keys without it.
///
/// # Errors
/// Same as [`open`].
pub fn public(uri: &Uri, module: Option<&Path>, ask: AskPin<'_>) -> Result<PublicKey> {
    let token = Token::find(uri, module)?;
    let fitting = token.fitting(ObjectClass::PUBLIC_KEY, uri)?;
    if let [object] = fitting.as_slice()
        && object.is_ed25519()
        && let Some(point) = object.point
    {
        return ensure_strong(point);
    }
    token.log_in(ask)?;
    Ok(token.key(uri)?.1)
}

impl Signer for TokenKey {
    fn public(&self) -> PublicKey {
        self.public
    }

    fn sign_unverified(&self, message: &[u8]) -> Result<[u8; 64]> {
        let pure = Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure));
        let signed = self.session.sign(&pure, self.handle, message);
        let signature = signed.map_err(|failure| match failure {
            Failure::Pkcs11(RvError::UserNotLoggedIn, _) => Error::unable(
                Problem::Device,
                "the token asks for its PIN at every signature, which olr does not support",
                "use a key without CKA_ALWAYS_AUTHENTICATE",
            ),
            Failure::Pkcs11(RvError::MechanismInvalid | RvError::KeyTypeInconsistent, _) => {
                no_ed25519("the key")
            }
            Failure::Pkcs11(RvError::KeyFunctionNotPermitted, _) => Error::unable(
                Problem::Device,
                "the token does not allow this key to sign",
                "use a key that may sign (CKA_SIGN)",
            ),
            failure => failed("the token did not sign", &failure),
        })?;
        <[u8; 64]>::try_from(signature.as_slice()).map_err(|_| {
            let fact = "the token did not return a signature of 64 bytes";
            Error::unable(Problem::Device, fact, "use a token that signs with pure Ed25519")
        })
    }
}

/// A token with an open session.
struct Token {
    session: Session,
    info: TokenInfo,
}

impl Token {
    fn find(uri: &Uri, module: Option<&Path>) -> Result<Self> {
        let library = load(module)?;
        let unreadable = |failure| failed("the tokens cannot be listed", &failure);
        let slots = library.get_slots_with_token().map_err(unreadable)?;
        let mut found = Vec::new();
        for slot in slots.into_iter().take(OBJECTS) {
            // Skip a token that was unplugged in the meantime.
            if let Ok(info) = library.get_token_info(slot)
                && info.token_initialized()
            {
                found.push((slot, info));
            }
        }
        let all: Vec<_> = found.iter().map(|(slot, info)| describe(*slot, info)).collect();
        found.retain(|(slot, info)| fits(uri, *slot, info));
        let (slot, info) = match (found.pop(), found.is_empty()) {
            (Some(only), true) => only,
            (None, _) if all.is_empty() => {
                let hint = "plug the token in, initialize it if it is new, and check that its service runs";
                return Err(Error::unable(
                    Problem::Device,
                    "no initialized PKCS#11 token was found",
                    hint,
                ));
            }
            (None, _) => {
                let fact = format!("no token matches the URI; there are: {}", list(&all));
                return Err(Error::unable(
                    Problem::Device,
                    fact,
                    "plug the right token in, or correct the URI",
                ));
            }
            (Some(last), false) => {
                found.push(last);
                let fitting: Vec<_> =
                    found.iter().map(|(slot, info)| describe(*slot, info)).collect();
                let fact = format!("several tokens match the URI: {}", list(&fitting));
                return Err(Error::unable(
                    Problem::Device,
                    fact,
                    "add serial= or slot-id= to the URI",
                ));
            }
        };
        let mechanisms = library.get_mechanism_list(slot).unwrap_or_default();
        if !mechanisms.contains(&MechanismType::EDDSA) {
            return Err(no_ed25519(&format!("token {}", shown(info.label()))));
        }
        let session = library.open_ro_session(slot);
        let session =
            session.map_err(|failure| failed("the token does not open a session", &failure))?;
        Ok(Self { session, info })
    }

    fn label(&self) -> String {
        shown(self.info.label()).into_owned()
    }

    fn log_in(&self, ask: AskPin<'_>) -> Result<()> {
        let state = self.session.get_session_info().map(|info| info.session_state());
        let is_open = matches!(state, Ok(SessionState::RoUser | SessionState::RwUser));
        if is_open || !self.info.login_required() {
            return Ok(());
        }
        if self.info.user_pin_locked() {
            return Err(login_failed(&self.label(), Some(RvError::PinLocked)));
        }
        // A token with its own keypad or reader asks for the PIN itself.
        let pin = if self.info.protected_authentication_path() {
            None
        } else {
            let wanted = PinWanted {
                token: self.info.label().to_string(),
                last_try: self.info.user_pin_final_try(),
            };
            let pin = ask(&wanted)?;
            let text = str::from_utf8(pin.expose()).unwrap_or_default();
            Some(AuthPin::new(text.into()))
        };
        match self.session.login(UserType::User, pin.as_ref()) {
            Ok(()) | Err(Failure::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Failure::Pkcs11(code, _)) => Err(login_failed(&self.label(), Some(code))),
            Err(_) => Err(login_failed(&self.label(), None)),
        }
    }

    /// Finds the one private key that matches, and its public half.
    fn key(&self, uri: &Uri) -> Result<(ObjectHandle, PublicKey)> {
        let mut fitting = self.fitting(ObjectClass::PRIVATE_KEY, uri)?;
        let key = match (fitting.pop(), fitting.is_empty()) {
            (Some(only), true) => only,
            (None, _) => {
                let all = self.fitting(ObjectClass::PRIVATE_KEY, &Uri::default())?;
                let all: Vec<_> = all.iter().map(Object::describe).collect();
                let token = self.label();
                if all.is_empty() {
                    let fact = format!("token {token} holds no private key");
                    let hint = "name another token in the URI, or create a key on this one";
                    return Err(Error::unable(Problem::Device, fact, hint));
                }
                let fact =
                    format!("no key on token {token} matches the URI; there are: {}", list(&all));
                let hint = "correct object= or id= in the URI, or name another token";
                return Err(Error::unable(Problem::Device, fact, hint));
            }
            (Some(last), false) => {
                fitting.push(last);
                let all: Vec<_> = fitting.iter().map(Object::describe).collect();
                let fact = format!("several keys match the URI: {}", list(&all));
                return Err(Error::unable(
                    Problem::Device,
                    fact,
                    "choose one with id= or object= in the URI",
                ));
            }
        };
        if !key.is_ed25519() {
            let fact =
                format!("key {} on token {} is not an Ed25519 key", key.describe(), self.label());
            return Err(Error::unable(
                Problem::Device,
                fact,
                "name another key in the URI, or create one with the curve edwards25519",
            ));
        }
        let public = self.public_half(&key)?;
        Ok((key.handle, ensure_strong(public)?))
    }

    /// Takes the public half from the private key object, or else from the matching public key
    /// objects.
    fn public_half(&self, key: &Object) -> Result<PublicKey> {
        if let Some(point) = key.point {
            return Ok(point);
        }
        let beside = match (&key.id, &key.label) {
            (id, _) if !id.is_empty() => Uri { id: Some(id.clone()), ..Uri::default() },
            (_, label) => Uri { object: Some(label.clone()), ..Uri::default() },
        };
        let beside = self.fitting(ObjectClass::PUBLIC_KEY, &beside)?;
        let mut points: Vec<_> =
            beside.iter().filter(|object| object.is_ed25519()).filter_map(|o| o.point).collect();
        points.sort_unstable();
        points.dedup();
        match points.as_slice() {
            [only] => Ok(*only),
            [] => {
                let fact = format!("the public half of key {} is missing", key.describe());
                Err(Error::unable(
                    Problem::Device,
                    fact,
                    "put it on the token with the id and the label of the private key",
                ))
            }
            _ => {
                let fact = format!("several public keys match key {}", key.describe());
                Err(Error::unable(Problem::Device, fact, "remove the wrong ones from the token"))
            }
        }
    }

    /// Lists the objects of a class that have the label and id of the URI.
    fn fitting(&self, class: ObjectClass, uri: &Uri) -> Result<Vec<Object>> {
        let mut template = vec![Attribute::Class(class)];
        template
            .extend(uri.object.iter().map(|label| Attribute::Label(label.clone().into_bytes())));
        template.extend(uri.id.iter().map(|id| Attribute::Id(id.clone())));
        let unreadable = |failure: Failure| failed("the token's keys cannot be listed", &failure);
        // Collect all handles before the next call: the session supports only one active search.
        let handles: Vec<_> = {
            let found = self.session.iter_objects(&template).map_err(unreadable)?;
            found.take(OBJECTS).collect::<Result<_, _>>().map_err(unreadable)?
        };
        handles
            .into_iter()
            .map(|handle| Object::read(&self.session, handle).map_err(unreadable))
            .collect()
    }
}

fn ensure_strong(public: PublicKey) -> Result<PublicKey> {
    if is_trustworthy(&public) {
        return Ok(public);
    }
    Err(Error::unable(
        Problem::Device,
        "the token's public key is weak",
        "create another key on the token",
    ))
}

fn load(module: Option<&Path>) -> Result<Pkcs11> {
    let Some(module) = module else {
        let fact = "no PKCS#11 library is named for the token";
        let hint =
            "add ?module-path=/path/to/library.so to the pkcs11: URI, or set OLR_PKCS11_MODULE";
        return Err(Error::unable(Problem::Device, fact, hint));
    };
    let name = crate::file::name(module);
    // The system would search for a bare name in folders that other users may control.
    if !module.is_absolute() || !module.is_file() {
        let fact = format!("{name}: this is not the absolute path of a library");
        return Err(Error::unable(
            Problem::Device,
            fact,
            "write the full path of the library that came with the token",
        ));
    }
    let foreign = |_| {
        let fact = format!("{name}: this file cannot be loaded as a PKCS#11 library");
        Error::unable(
            Problem::Device,
            fact,
            "name the library that came with the token, for this type of processor",
        )
    };
    let library = Pkcs11::new(module).map_err(foreign)?;
    match library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Failure::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(library),
        Err(failure) => Err(failed(&format!("{name}: the library does not start"), &failure)),
    }
}

fn fits(uri: &Uri, slot: Slot, info: &TokenInfo) -> bool {
    // The library removes the padding blanks of these fields, so remove them here too.
    let same = |wanted: &Option<String>, found: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.trim_end_matches(' ') == found)
    };
    same(&uri.token, info.label())
        && same(&uri.manufacturer, info.manufacturer_id())
        && same(&uri.serial, info.serial_number())
        && same(&uri.model, info.model())
        && uri.slot.is_none_or(|wanted| wanted == slot.id())
}

fn describe(slot: Slot, info: &TokenInfo) -> String {
    format!("{:?} (serial={})", shown(info.label()), shown(info.serial_number()))
        + &format!(" in slot {}", slot.id())
}

fn list(all: &[String]) -> String {
    let more = all.len().saturating_sub(NAMED);
    // Sort, because tokens list their objects in no fixed order.
    let mut sorted: Vec<_> = all.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.truncate(NAMED);
    let mut text = sorted.join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let all: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(list(&all), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
    }
}
