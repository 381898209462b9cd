//! Passwords come by prompt or by standard input, never as an argument.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Read, Write},
};

use vestibule_core::Secret;

use super::CliError;

/// A new password: from the standard input's first line, or asked for twice.
pub(crate) fn new_password(from_stdin: bool) -> Result<Secret, CliError> {
    if from_stdin {
        return read_line(&mut io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        let hint = "there is no terminal to ask for the password at: use --password-stdin";
        return Err(CliError::Usage(hint.to_owned()));
    }
    loop {
        let first = Secret::from(rpassword::prompt_password("Password: ")?);
        if first == Secret::from(rpassword::prompt_password("Password (again): ")?) {
            return Ok(first);
        }
        again(&"the two passwords differ")?;
    }
}

/// A password that somebody has already: from the standard input's first line, or asked for.
pub(crate) fn present_password(from_stdin: bool) -> Result<Secret, CliError> {
    if from_stdin {
        return read_line(&mut io::stdin().lock());
    }
    if !io::stdin().is_terminal() {
        let hint = "there is no terminal to ask for the password at: use --password-stdin";
        return Err(CliError::Usage(hint.to_owned()));
    }
    Ok(Secret::from(rpassword::prompt_password("Password: ")?))
}

/// The first line, without its end; blanks around the password belong to it.
fn read_line(input: &mut impl Read) -> Result<Secret, CliError> {
    let mut text = String::new();
    input.take(8192).read_to_string(&mut text)?;
    let line = text.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(CliError::Usage("the standard input holds no password".to_owned()));
    }
    Ok(Secret::new(line))
}

/// The standard input's first line, for an address that holds a password.
pub(crate) fn line() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    match line.trim() {
        "" => Err(CliError::Usage("the standard input holds no address".to_owned())),
        line => Ok(line.to_owned()),
    }
}

/// A line that is asked for at the terminal, and asked for again as long as there is something
/// wrong with it.
pub(crate) fn ask_until<E: Display>(
    question: &str,
    wrong: impl Fn(&str) -> Option<E>,
) -> Result<String, CliError> {
    loop {
        let mut stderr = io::stderr();
        write!(stderr, "{question}: ")?;
        stderr.flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Err(CliError::Failed("the terminal was closed".to_owned()));
        }
        match wrong(line.trim()) {
            None => return Ok(line.trim().to_owned()),
            Some(wrong) => again(&wrong)?,
        }
    }
}

/// Says at the terminal why something is asked for again.
pub(crate) fn again(why: &impl Display) -> Result<(), CliError> {
    writeln!(io::stderr(), "{why}: try again")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_from_the_standard_input_keeps_its_blanks() {
        let read = |text: &str| read_line(&mut text.as_bytes());
        assert_eq!(read(" spaces kept \r\nrest").unwrap(), Secret::new(" spaces kept "));
        assert!(read("\n").is_err());
    }
}
