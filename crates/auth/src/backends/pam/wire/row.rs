//! A message as bytes: a length, then fields with a length of their own.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use super::Who;

/// The first field of every question and answer. One that is not of this version is refused: the
/// helper and the server are installed together.
const VERSION: &[u8] = b"vestibule-pam 1";

/// More than any question or answer has: thousands of groups, with long names.
const LONGEST: usize = 1 << 20;

/// What is no message.
pub(super) fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no message of this version")
}

/// A message that is being written. Large enough from the start for a question: what grows leaves
/// copies of passwords behind.
pub(super) struct Row(Zeroizing<Vec<u8>>);

impl Row {
    pub(super) fn new() -> Self {
        let mut row = Self(Zeroizing::new(Vec::with_capacity(8192)));
        row.bytes(VERSION);
        row
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend(length.to_be_bytes());
        self.0.extend(bytes);
        self
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn who(&mut self, who: &Who) -> &mut Self {
        match who {
            Who::Name(name) => self.text("name").text(name),
            Who::Uid(uid) => self.text("uid").number((*uid).into()),
        }
    }

    pub(super) fn send(&self, to: &mut impl Write) -> io::Result<()> {
        if self.0.len() > LONGEST {
            return Err(garbled());
        }
        let length = u32::try_from(self.0.len()).map_err(|_| garbled())?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&self.0)?;
        to.flush()
    }
}

/// Reads one whole message.
pub(super) fn receive(from: &mut impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > LONGEST {
        return Err(garbled());
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A message that is being read.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> io::Result<Self> {
        let mut fields = Self(bytes);
        if fields.bytes()? == VERSION { Ok(fields) } else { Err(garbled()) }
    }

    pub(super) fn bytes(&mut self) -> io::Result<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or_else(garbled)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (field, rest) = rest.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(field)
    }

    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.bytes()?.try_into().map_err(|_| garbled())
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| garbled())
    }

    pub(super) fn number(&mut self) -> io::Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn small(&mut self) -> io::Result<u32> {
        u32::try_from(self.number()?).map_err(|_| garbled())
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> io::Result<T> {
        let at = usize::try_from(self.number()?).map_err(|_| garbled())?;
        all.get(at).copied().ok_or_else(garbled)
    }

    pub(super) fn who(&mut self) -> io::Result<Who> {
        match self.text()?.as_str() {
            "name" => Ok(Who::Name(self.text()?)),
            "uid" => Ok(Who::Uid(self.small()?)),
            _ => Err(garbled()),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn done<T>(&self, read: T) -> io::Result<T> {
        if self.is_done() { Ok(read) } else { Err(garbled()) }
    }
}
