//! `COPY` in `PostgreSQL`'s binary format (its manual, page of `COPY`, "Binary Format"): takes masses
//! of rows several times as fast as `INSERT`, and needs none of them in memory twice.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use diesel::{QueryResult, result::Error};

/// What stands before the rows: the signature, no flags, nothing added to the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What stands after them.
const TRAILER: [u8; 2] = (-1i16).to_be_bytes();

/// The length of what is NULL.
const NULL: [u8; 4] = (-1i32).to_be_bytes();

/// How much is handed to the driver at once.
const AT_ONCE: usize = 32 * 1024;

/// A row whose values can be written one after the other.
pub(super) trait Copied {
    /// What its values are called.
    const COLUMNS: &'static [&'static str];

    /// Writes them.
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// A value of a row.
pub(super) trait Field {
    /// Writes its length and its bytes.
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()>;
}

/// Writes all rows.
pub(super) fn write<R: Copied>(
    rows: impl Iterator<Item = R>,
    out: &mut (impl Write + ?Sized),
) -> QueryResult<()> {
    write_all(rows, out).map_err(|error| match error.downcast::<Error>() {
        Ok(of_the_driver) => of_the_driver,
        Err(error) => Error::SerializationError(Box::new(error)),
    })
}

fn write_all<R: Copied>(
    rows: impl Iterator<Item = R>,
    out: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(AT_ONCE + AT_ONCE / 4);
    buffer.extend_from_slice(HEADER);
    let columns = i16::try_from(R::COLUMNS.len()).map_err(io::Error::other)?;
    for row in rows {
        buffer.extend_from_slice(&columns.to_be_bytes());
        row.write(&mut buffer)?;
        if buffer.len() >= AT_ONCE {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    buffer.extend_from_slice(&TRAILER);
    out.write_all(&buffer)
}

impl Field for [u8] {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let length = i32::try_from(self.len()).map_err(io::Error::other)?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(self);
        Ok(())
    }
}

impl Field for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.as_slice().write(out)
    }
}

impl Field for str {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.as_bytes().write(out)
    }
}

impl Field for String {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.as_bytes().write(out)
    }
}

impl Field for Cow<'_, str> {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.as_bytes().write(out)
    }
}

impl Field for bool {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        [u8::from(*self)].write(out)
    }
}

impl Field for i64 {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        self.to_be_bytes().write(out)
    }
}

impl<T: Field + ?Sized> Field for &T {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        (*self).write(out)
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        if let Some(value) = self {
            return value.write(out);
        }
        out.extend_from_slice(&NULL);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(Option<&'static str>, bool, i64);

    impl Copied for Row {
        const COLUMNS: &'static [&'static str] = &["text", "flag", "number"];

        fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
            self.0.write(out)?;
            self.1.write(out)?;
            self.2.write(out)
        }
    }

    #[test]
    fn rows_are_written_as_the_manual_has_it() {
        let mut written = Vec::new();
        write([Row(Some("ab"), true, -2), Row(None, false, 3)].into_iter(), &mut written).unwrap();
        let (header, rest) = written.split_at(19);
        assert_eq!(header, HEADER);
        let expected: [&[u8]; 9] = [
            &[0, 3, 0, 0, 0, 2, b'a', b'b'],
            &[0, 0, 0, 1, 1],
            &[0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 254],
            &[0, 3],
            &[255, 255, 255, 255],
            &[0, 0, 0, 1, 0],
            &[0, 0, 0, 8],
            &[0, 0, 0, 0, 0, 0, 0, 3],
            &[255, 255],
        ];
        assert_eq!(rest, expected.concat());
    }

    #[test]
    fn what_the_driver_says_is_passed_on_as_it_is() {
        struct Broken;

        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other(Error::BrokenTransactionManager))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let error = write(std::iter::empty::<Row>(), &mut Broken).unwrap_err();
        assert!(matches!(error, Error::BrokenTransactionManager), "{error}");
    }
}
