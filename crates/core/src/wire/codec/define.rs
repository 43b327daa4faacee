//! Macros that define types with a binary encoding: records, number tables, identifiers.

/// Defines a record: a struct whose fields are encoded in the order in which they are written.
#[macro_export]
#[doc(hidden)] // reached as `wire::codec::record`
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::wire::codec::Record for $name {
            fn encode(&self, encoder: &mut $crate::wire::codec::Encoder) {
                $($crate::wire::codec::Record::encode(&self.$field, encoder);)*
            }

            fn decode(
                decoder: &mut $crate::wire::codec::Decoder<'_>,
            ) -> std::result::Result<Self, $crate::wire::codec::Fault> {
                Ok(Self { $($field: $crate::wire::codec::Record::decode(decoder)
                    .map_err(|fault| fault.in_field(stringify!($field)))?,)* })
            }
        }
    };
}
#[doc(inline)]
pub use record;

/// Defines a number table: a closed enum that is encoded as its number.
macro_rules! numbered {
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$variant_meta:meta])* $number:literal $variant:ident $word:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum $name { $($(#[$variant_meta])* $variant = $number,)* }

        impl $name {
            /// Every entry, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Number in the binary encoding.
            pub fn number(self) -> u16 {
                match self { $(Self::$variant => $number),* }
            }

            /// Word used in text and JSON.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Returns the entry with this number.
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Exit 2 if no entry has this word.
            fn from_str(word: &str) -> $crate::error::Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::wire::codec::no_entry(word, &[$($word),*])),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::wire::codec::Record for $name {
            fn encode(&self, encoder: &mut $crate::wire::codec::Encoder) {
                $crate::wire::codec::Record::encode(&self.number(), encoder);
            }

            fn decode(
                decoder: &mut $crate::wire::codec::Decoder<'_>,
            ) -> std::result::Result<Self, $crate::wire::codec::Fault> {
                let number = $crate::wire::codec::Record::decode(decoder)?;
                Self::from_number(number).ok_or_else($crate::wire::codec::no_number)
            }
        }

        impl $crate::wire::codec::Keyed for $name {
            type Key = Self;
            fn key(&self) -> &Self { self }
        }
    };
}
pub(crate) use numbered;

/// Defines a 16-byte identifier, shown as 32 hexadecimal digits.
macro_rules! identifier {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Parses 32 hexadecimal digits, in either case. Exit 2 if `text` is anything else.
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
                let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or_else(|| $crate::wire::codec::no_identifier(text))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl $crate::wire::codec::Record for $name {
            fn encode(&self, encoder: &mut $crate::wire::codec::Encoder) {
                $crate::wire::codec::Record::encode(&self.0, encoder);
            }

            fn decode(
                decoder: &mut $crate::wire::codec::Decoder<'_>,
            ) -> std::result::Result<Self, $crate::wire::codec::Fault> {
                $crate::wire::codec::Record::decode(decoder).map(Self)
            }
        }

        impl $crate::wire::codec::Keyed for $name {
            type Key = Self;
            fn key(&self) -> &Self { self }
        }
    };
}
pub(crate) use identifier;
