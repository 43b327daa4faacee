//! Comparison of values from both decoders.

use olr_core::wire::codec::{self, Blob, Hidden};
use olr_core::wire::frame::Kind;
use olr_core::wire::id::{EventId, KeyId, LicenseId, RequestId, RevokedId};
use olr_core::{entitlement, machine, state, time, trust};
use wincode::{SchemaRead, SchemaWrite};

/// Equality with the corresponding type of ours.
pub trait Same<Ours: ?Sized> {
    fn same(&self, ours: &Ours) -> bool;
}

macro_rules! plain {
    ($($type:ty)*) => { $(
        impl Same<$type> for $type {
            fn same(&self, ours: &$type) -> bool {
                self == ours
            }
        }
    )* };
}
plain!(u8 u16 u32 u64 bool);

impl<const N: usize> Same<[u8; N]> for [u8; N] {
    fn same(&self, ours: &[u8; N]) -> bool {
        self == ours
    }
}

/// An operation is mirrored as its word.
impl Same<entitlement::Operation> for String {
    fn same(&self, ours: &entitlement::Operation) -> bool {
        self == ours.word()
    }
}

/// A number table is mirrored as its number.
macro_rules! tables {
    ($($type:ty)*) => { $(
        impl Same<$type> for u16 {
            fn same(&self, ours: &$type) -> bool {
                *self == ours.number()
            }
        }
    )* };
}
tables!(entitlement::Model entitlement::Edition entitlement::Cause entitlement::Outcome Kind);
tables!(machine::Class machine::FactorKind trust::Act state::Stage state::Listener);

macro_rules! identifiers {
    ($($type:ty)*) => { $(
        impl Same<$type> for [u8; 16] {
            fn same(&self, ours: &$type) -> bool {
                *self == ours.0
            }
        }
    )* };
}
identifiers!(EventId KeyId LicenseId RequestId RevokedId);

impl Same<time::Instant> for u64 {
    fn same(&self, ours: &time::Instant) -> bool {
        *self == ours.seconds
    }
}

impl Same<time::Day> for u32 {
    fn same(&self, ours: &time::Day) -> bool {
        *self == ours.number
    }
}

impl<const CAP: usize> Same<codec::Text<CAP>> for String {
    fn same(&self, ours: &codec::Text<CAP>) -> bool {
        **self == **ours
    }
}

impl<const CAP: usize> Same<Blob<CAP>> for Vec<u8> {
    fn same(&self, ours: &Blob<CAP>) -> bool {
        **self == **ours
    }
}

impl<Ours, T: Same<Ours>> Same<Hidden<Ours>> for T {
    fn same(&self, ours: &Hidden<Ours>) -> bool {
        self.same(&ours.0)
    }
}

fn all_same<Ours, T: Same<Ours>>(theirs: &[T], ours: &[Ours]) -> bool {
    theirs.len() == ours.len() && theirs.iter().zip(ours).all(|(theirs, ours)| theirs.same(ours))
}

impl<Ours, T: Same<Ours>, const CAP: usize> Same<codec::List<Ours, CAP>> for Vec<T> {
    fn same(&self, ours: &codec::List<Ours, CAP>) -> bool {
        all_same(self, ours)
    }
}

impl<Ours, T: Same<Ours>, const CAP: usize> Same<codec::Set<Ours, CAP>> for Vec<T> {
    fn same(&self, ours: &codec::Set<Ours, CAP>) -> bool {
        all_same(self, ours)
    }
}

impl<Ours, T: Same<Ours>> Same<Option<Ours>> for Option<T> {
    fn same(&self, ours: &Option<Ours>) -> bool {
        all_same(self.as_slice(), ours.as_slice())
    }
}

#[derive(SchemaRead, SchemaWrite)]
#[wincode(tag_encoding = "u8")]
pub enum Limit<T> {
    Only(T),
    Any,
}

impl<Ours, T: Same<Ours>> Same<codec::Limit<Ours>> for Limit<T> {
    fn same(&self, ours: &codec::Limit<Ours>) -> bool {
        match (self, ours) {
            (Self::Only(theirs), codec::Limit::Only(ours)) => theirs.same(ours),
            (Self::Any, codec::Limit::Any) => true,
            _ => false,
        }
    }
}
