//! A slower disk than there is: this program again, with every commit held up.

use std::{env, process::Command};

use vestibule_benches::Result;

const SOURCE: &str = include_str!("slow_sync.c");
const HELD_UP: &str = "SYNC_MICROS";

/// Runs this program again with its arguments, every `fsync` taking so much longer. Answers whether
/// it did: the one that is held up goes on by itself.
pub(crate) fn again(micros: u32) -> Result<bool> {
    if env::var_os(HELD_UP).is_some() {
        return Ok(false);
    }
    let directory = tempfile::tempdir()?;
    let (source, library) =
        (directory.path().join("slow_sync.c"), directory.path().join("slow_sync.so"));
    std::fs::write(&source, SOURCE)?;
    let built = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()?;
    if !built.success() {
        return Err("cc could not build what holds fsync up".into());
    }
    let ran = Command::new(env::current_exe()?)
        .args(env::args_os().skip(1))
        .env("LD_PRELOAD", &library)
        .env(HELD_UP, micros.to_string())
        .status()?;
    if ran.success() { Ok(true) } else { Err("the run with the slower disk failed".into()) }
}
