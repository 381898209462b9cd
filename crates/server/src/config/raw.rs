//! How the sections' raw structs read the texts that have a type of their own.

use std::{fmt, str::FromStr};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use super::{
    duration::HumanDuration,
    rate::RateLimit,
    report::BadValue,
    server::{HostName, ListenAddress, PathPrefix, TrustedProxy},
    site::BaseUrl,
    size::ByteSize,
    storage::StorageUrl,
};

/// A value in whose place `off` may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffOr<T> {
    Off,
    On(T),
}

impl<T> OffOr<T> {
    pub(super) fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: FromStr<Err = BadValue>> FromStr for OffOr<T> {
    type Err = BadValue;

    fn from_str(text: &str) -> Result<Self, BadValue> {
        if text == "off" { Ok(Self::Off) } else { text.parse().map(Self::On) }
    }
}

impl<'de, T: FromStr<Err = BadValue>> Deserialize<'de> for OffOr<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        parsed(from)
    }
}

macro_rules! read_from_text {
    ($($kind:ty),+ $(,)?) => {$(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                parsed(from)
            }
        }
    )+};
}

read_from_text!(
    BaseUrl,
    HostName,
    HumanDuration,
    ListenAddress,
    PathPrefix,
    RateLimit,
    StorageUrl,
    TrustedProxy,
);

fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = BadValue>,
{
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SizeVisitor)
    }
}

/// A size is the one value with two forms: text with a unit, or a bare number of bytes.
struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = ByteSize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as \"64KiB\" or a number of bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ByteSize, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<ByteSize, E> {
        u64::try_from(bytes).map(ByteSize).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<ByteSize, E> {
        Ok(ByteSize(bytes))
    }
}
