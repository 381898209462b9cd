//! `vestibule config`: shows the settings in force and changes the configuration file.

use std::{
    ffi::OsStr,
    io::{self, Write},
    path::Path,
    process::Command,
};

use crate::config::{
    ConfigError, EditError, Loaded, Setting, Sources,
    edit::{self, Changed},
    load, reference,
};

/// What `vestibule config` is asked to do.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force, secrets masked
    Get {
        /// A key such as `session.cookie_age`, or a section; without it everything is printed
        key: Option<String>,
        /// Print where each value comes from too
        #[arg(long)]
        verbose: bool,
    },
    /// Set a key in the configuration file
    #[command(after_help = "A list is written as in TOML or JSON: '[\"a\", \"b\"]', \
        or \"['a', 'b']\" where only double quotes quote.")]
    Set {
        /// The key, such as `session.cookie_age`
        key: String,
        /// The value, without quotes of its own
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Take a key out of the configuration file
    Unset {
        /// The key
        key: String,
    },
    /// Open the configuration file in $VISUAL or $EDITOR; it is checked before it is replaced
    Edit,
    /// Check the configuration and print everything that is wrong with it
    Check,
}

/// Why a `config` command failed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigCommandError {
    /// The configuration does not hold.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The file was not changed.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// There is no such key; the message suggests the nearest.
    #[error("{0}")]
    UnknownKey(String),
    /// Neither variable names an editor.
    #[error("neither $VISUAL nor $EDITOR names an editor")]
    NoEditor,
    /// The editor could not be run or did not end well.
    #[error("the editor failed ({0}); nothing was changed")]
    Editor(String),
    /// The output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl ConfigCommandError {
    /// The exit status: 2 for wrong usage and for a configuration that does not hold, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::UnknownKey(_)
            | Self::NoEditor
            | Self::Edit(
                EditError::Refused { .. }
                | EditError::Kept { .. }
                | EditError::SecretArgument { .. },
            ) => 2,
            Self::Edit(EditError::Overtaken { .. } | EditError::File { .. })
            | Self::Editor(_)
            | Self::Output(_) => 1,
        }
    }
}

/// Does what was asked and writes what there is to say to `out`.
pub fn run(
    command: &ConfigCommand,
    sources: &Sources,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), ConfigCommandError> {
    match command {
        ConfigCommand::Get { key, verbose } => {
            get(&load(sources)?, key.as_deref(), *verbose, json, out)
        }
        ConfigCommand::Set { key, value } => {
            let changed = edit::set(sources, key, value)?;
            say(out, &format!("{key} is set"), &changed)
        }
        ConfigCommand::Unset { key } => unset(sources, key, out),
        ConfigCommand::Edit => edit_file(sources, out),
        ConfigCommand::Check => check(&load(sources)?, out),
    }
}

fn get(
    loaded: &Loaded,
    key: Option<&str>,
    verbose: bool,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), ConfigCommandError> {
    let wanted = |setting: &Setting| match key {
        None => true,
        Some(key) => setting.key == key || setting.key.split('.').next() == Some(key),
    };
    let settings: Vec<Setting> = loaded.view().into_iter().filter(wanted).collect();
    if let (Some(key), true) = (key, settings.is_empty()) {
        return Err(unknown(key));
    }
    if json {
        return print_json(&settings, verbose, out);
    }
    match (&settings[..], key) {
        ([one], Some(key)) if one.key == key && !verbose => writeln!(out, "{}", one.bare())?,
        _ => {
            for setting in &settings {
                print_line(setting, verbose, out)?;
            }
        }
    }
    Ok(())
}

/// A line of TOML, so that the whole output can serve as a configuration file.
fn print_line(setting: &Setting, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    let key = setting.key;
    match (setting.toml(), verbose) {
        (Some(value), true) => writeln!(out, "{key} = {value}  # {}", setting.origin),
        (Some(value), false) => writeln!(out, "{key} = {value}"),
        (None, _) => writeln!(out, "# {key} is not set"),
    }
}

fn print_json(
    settings: &[Setting],
    verbose: bool,
    out: &mut dyn Write,
) -> Result<(), ConfigCommandError> {
    let entry = |setting: &Setting| {
        let value = serde_json::json!(setting.value);
        let entry = if verbose {
            serde_json::json!({ "value": value, "origin": setting.origin.to_string() })
        } else {
            value
        };
        (setting.key.to_owned(), entry)
    };
    let all: serde_json::Map<_, _> = settings.iter().map(entry).collect();
    writeln!(out, "{:#}", serde_json::Value::Object(all))?;
    Ok(())
}

fn unset(sources: &Sources, key: &str, out: &mut dyn Write) -> Result<(), ConfigCommandError> {
    match edit::unset(sources, key)? {
        Some(changed) => say(out, &format!("{key} is no longer set"), &changed),
        None if reference::find(key).is_some() => {
            writeln!(out, "{key} was not set in {}", sources.path().0.display())?;
            Ok(())
        }
        None => Err(unknown(key)),
    }
}

fn edit_file(sources: &Sources, out: &mut dyn Write) -> Result<(), ConfigCommandError> {
    let editor = sources
        .variable("VISUAL")
        .or_else(|| sources.variable("EDITOR"))
        .ok_or(ConfigCommandError::NoEditor)?;
    let changed = edit::edit(sources, std::process::id(), |file| open_editor(editor, file))?;
    if let Some(changed) = changed {
        return say(out, "edited", &changed);
    }
    writeln!(out, "nothing was changed")?;
    Ok(())
}

/// The variable may hold arguments (`code --wait`), so a shell takes it apart, as for git.
fn open_editor(editor: &OsStr, file: &Path) -> Result<(), ConfigCommandError> {
    let mut line = editor.to_os_string();
    line.push(" \"$1\"");
    let status = Command::new("sh").arg("-c").arg(line).arg("sh").arg(file).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(ConfigCommandError::Editor(status.to_string())),
        Err(error) => Err(ConfigCommandError::Editor(error.to_string())),
    }
}

fn check(loaded: &Loaded, out: &mut dyn Write) -> Result<(), ConfigCommandError> {
    match &loaded.file {
        Some(file) => writeln!(out, "{}: the configuration holds", file.display())?,
        None => writeln!(out, "built-in defaults: the configuration holds")?,
    }
    Ok(())
}

fn say(out: &mut dyn Write, what: &str, changed: &Changed) -> Result<(), ConfigCommandError> {
    writeln!(out, "{}: {what}", changed.file.display())?;
    if let Some(origin) = &changed.overridden_by {
        writeln!(out, "note: the {origin} overrides it")?;
    }
    Ok(())
}

fn unknown(key: &str) -> ConfigCommandError {
    ConfigCommandError::UnknownKey(reference::unknown(key))
}
